/**
 * The differences between two values, as a table.
 */
import type { JSX } from "preact";
import { visible } from "../ui/text.tsx";
import { Tree } from "../ui/tree.tsx";
import { diffValues } from "./diff.ts";

interface DifferencesProps {
  readonly name: string;
  readonly a: unknown;
  readonly b: unknown;
  readonly names?: readonly [a: string, b: string];
}

export function ValueDifferences({ name, a, b, names = ["A", "B"] }: DifferencesProps): JSX.Element {
  const { differences, isCut } = diffValues(a, b);
  if (differences.length === 0)
    return (
      <section class="differences" aria-label={name}>
        <h2>{name}</h2>
        <p class="muted">Both are the same.</p>
      </section>
    );
  return (
    <section class="differences" aria-label={name}>
      <h2>{name}</h2>
      <div class="table-scroll" tabIndex={0} role="region" aria-label={`Differences: ${name}`}>
        <table>
          <thead>
            <tr>
              <th scope="col">Place</th>
              <th scope="col">{names[0]}</th>
              <th scope="col">{names[1]}</th>
            </tr>
          </thead>
          <tbody>
            {differences.map(({ path, kind, ...values }) => (
              <tr key={path} class={`is-${kind}`}>
                <th scope="row" class="mono">
                  <bdi>{path === "" ? "the value" : visible(path.slice(0, 300))}</bdi>
                  <span class="muted"> {kind}</span>
                </th>
                <td>{"a" in values ? <Tree value={values.a} /> : <span class="muted">none</span>}</td>
                <td>{"b" in values ? <Tree value={values.b} /> : <span class="muted">none</span>}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {isCut && <p class="muted">There are more differences: the first {differences.length} are listed.</p>}
    </section>
  );
}
