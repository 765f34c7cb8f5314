/**
 * The values of a run: input, output, metadata, error.
 */
import type { RunRecord } from "@holdfast/workflows/client";
import type { JSX } from "preact";
import { Tree } from "../ui/tree.tsx";

export function DataTab({ run }: { readonly run: RunRecord }): JSX.Element {
  const { input, output, error, metadata, tenantMeta, streams } = run;
  const values: readonly (readonly [string, unknown])[] = [
    ["Input", input],
    ...("output" in run ? [["Output", output] as const] : []),
    ...(error === undefined ? [] : [["Error", error] as const]),
    ...(Object.keys(metadata).length === 0 ? [] : [["Metadata", metadata] as const]),
    ...(Object.keys(streams).length === 0 ? [] : [["Streams", streams] as const]),
    ...(tenantMeta === null ? [] : [["Tenant metadata", tenantMeta] as const]),
  ];
  return (
    <div class="values">
      {run.truncated && <p class="note">The record leaves out steps or cuts values. The journal has the rest.</p>}
      {values.map(([name, value]) => (
        <section key={name} class="value">
          <h2>{name}</h2>
          <Tree value={value} />
        </section>
      ))}
    </div>
  );
}
