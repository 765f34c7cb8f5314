/**
 * The next times of a schedule, in its zone, with what the clock does then.
 */
import type { ScheduleRecord } from "@holdfast/workflows/client";
import type { JSX } from "preact";
import { Table } from "../flow/parts.tsx";
import { visible } from "../ui/text.tsx";
import { secondText, timeZone } from "../ui/time-format.ts";
import { Ago } from "../ui/times.tsx";
import { localText } from "./schedule-text.ts";

export function NextTimes({ schedule: { next, tz, paused } }: { readonly schedule: ScheduleRecord }): JSX.Element {
  return (
    <section>
      <h2>Next ticks</h2>
      {paused !== undefined && <p class="note">It is paused: these ticks are skipped unless it is resumed before.</p>}
      {next.length === 0 ? (
        <p class="muted">There is no next tick.</p>
      ) : (
        <Table
          label="Next ticks"
          columns={[
            `Time in ${tz}`,
            timeZone.value === "utc" ? "Fires, in UTC" : "Fires, in your zone",
            "In",
            "The clock",
          ]}
        >
          {next.map(({ nominal, fireAt, local, note }) => (
            <tr key={nominal}>
              <th scope="row" class="num">
                {localText(local)}
              </th>
              <td class="num">{secondText(fireAt)}</td>
              <td class="num">
                <Ago at={fireAt} />
              </td>
              <td>{note !== undefined && <span class="note-line">{visible(note)}</span>}</td>
            </tr>
          ))}
        </Table>
      )}
    </section>
  );
}
