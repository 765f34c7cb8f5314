/**
 * The actions of callers on a run.
 */
import { useEffect, useState } from "preact/hooks";
import type { AuditEntry } from "@holdfast/workflows/client";
import type { JSX } from "preact";
import { type Failure, FailureNote, failureOf } from "../failure.tsx";
import { api, session } from "../session.ts";
import { Text } from "../ui/text.tsx";
import { absoluteText } from "../ui/time-format.ts";

export function AuditTab({ id }: { readonly id: string }): JSX.Element {
  const [entries, setEntries] = useState<readonly AuditEntry[]>();
  const [failure, setFailure] = useState<Failure>();
  useEffect(() => {
    const ended = new AbortController();
    setFailure(undefined);
    api()
      .run(id)
      .audit({ signal: ended.signal })
      .then(setEntries, (error: unknown) => !ended.signal.aborted && setFailure(failureOf(error)));
    return () => ended.abort();
  }, [id, session.value]);
  if (failure) return <FailureNote failure={failure} />;
  if (entries === undefined) return <p class="muted">Loading…</p>;
  return <AuditTable entries={entries} />;
}

export function AuditTable({ entries }: { readonly entries: readonly AuditEntry[] }): JSX.Element {
  return (
    <div class="table-scroll" tabIndex={0} role="region" aria-label="Actions on this run">
      <table>
        <thead>
          <tr>
            <th scope="col">Time</th>
            <th scope="col">Action</th>
            <th scope="col">By</th>
            <th scope="col">Detail</th>
          </tr>
        </thead>
        <tbody>
          {entries.map(({ at, action, by, onBehalfOf, detail }, n) => (
            <tr key={n}>
              <td class="num">{absoluteText(at)}</td>
              <td>{action}</td>
              <td>
                <Text of={onBehalfOf === undefined ? by : `${by} for ${onBehalfOf}`} />
              </td>
              <td>
                <Text of={detail ?? ""} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
