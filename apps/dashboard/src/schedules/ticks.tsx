/**
 * The ticks of a schedule, the newest first: what became of each, and why.
 */
import type { ScheduleRecord, ScheduleTick } from "@holdfast/workflows/client";
import type { JSX } from "preact";
import { RunLink, Table } from "../flow/parts.tsx";
import { Text } from "../ui/text.tsx";
import { secondText } from "../ui/time-format.ts";
import { Ago, durationText } from "../ui/times.tsx";
import { Outcome, Why } from "./outcome.tsx";
import { KIND_TEXTS } from "./schedule-text.ts";

/** A later decision is shown as late. */
const LATE_MS = 1_000;

interface TicksProps {
  readonly schedule: ScheduleRecord;
  readonly onMore: () => void;
}

export function Ticks({ schedule: { ticks, nextBefore }, onMore }: TicksProps): JSX.Element {
  return (
    <section>
      <h2>Ticks</h2>
      {ticks.length === 0 ? (
        <p class="muted">No tick was decided yet.</p>
      ) : (
        <Table label="Ticks" columns={["Time", "Became", "Run", "Why", "Kind", "Decided"]}>
          {ticks.map((tick) => (
            <Row tick={tick} key={tick.seq} />
          ))}
        </Table>
      )}
      {nextBefore !== null && (
        <p class="more">
          <button type="button" onClick={onMore}>
            Load older ticks
          </button>
        </p>
      )}
    </section>
  );
}

function Row({ tick }: { readonly tick: ScheduleTick }): JSX.Element {
  const { nominal, fireAt, at, kind, by, runId } = tick;
  return (
    <tr>
      <th scope="row" class="num">
        {secondText(nominal)}
      </th>
      <td>
        <Outcome of={tick} />
      </td>
      <td>{runId !== undefined && <RunLink id={runId} isRow />}</td>
      <td class="wide">
        <Why of={tick} />
      </td>
      <td>
        {KIND_TEXTS[kind]}
        {by !== undefined && (
          <span class="muted">
            {" "}
            of <Text of={by} max={80} />
          </span>
        )}
      </td>
      <td class="num">
        <Ago at={at} />
        {kind === "tick" && at - fireAt >= LATE_MS && <span class="muted"> · {durationText(at - fireAt)} late</span>}
      </td>
    </tr>
  );
}
