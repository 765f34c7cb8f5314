/**
 * What a schedule is: its declaration, its state, and its numbers.
 */
import type { ScheduleRecord } from "@holdfast/workflows/client";
import type { JSX } from "preact";
import { Fact, RunLink } from "../flow/parts.tsx";
import { runsPath } from "../router.ts";
import { Tags } from "../ui/tags.tsx";
import { Text, visible } from "../ui/text.tsx";
import { secondText } from "../ui/time-format.ts";
import { Ago, durationText } from "../ui/times.tsx";
import { Tree } from "../ui/tree.tsx";
import { CATCH_UP_TEXTS, OVERLAP_TEXTS, countsText, timesText } from "./schedule-text.ts";

export function ScheduleFacts({ schedule }: { readonly schedule: ScheduleRecord }): JSX.Element {
  const { description, input } = schedule;
  return (
    <>
      {description !== undefined && (
        <p>
          <Text of={description} max={600} />
        </p>
      )}
      <Reasons schedule={schedule} />
      <dl class="facts">
        <Declared schedule={schedule} />
        <Numbers schedule={schedule} />
      </dl>
      {input !== undefined && input !== null && (
        <details class="flow-input">
          <summary>Input of its runs</summary>
          <div class="value">
            <Tree value={input} />
          </div>
        </details>
      )}
    </>
  );
}

/** Why no tick fires, or what is in progress: one line each. */
function Reasons({ schedule }: { readonly schedule: ScheduleRecord }): JSX.Element {
  const { paused, orphanedAt, waiting, backfill, lastRunId, status } = schedule;
  return (
    <ul class="why" aria-label="Why the schedule is in this state">
      {paused !== undefined && <PausedLine paused={paused} />}
      {orphanedAt !== undefined && (
        <li class="why-line">
          <span class="why-text">
            Its declaration is gone from the code: it fires no more, and is deleted after 30 days.
          </span>
          <span class="why-times">
            since <Ago at={orphanedAt} />
          </span>
        </li>
      )}
      {status === "ended" && (
        <li class="why-line">
          <span class="why-text">No time matches any more: it fires no more.</span>
        </li>
      )}
      {waiting > 0 && (
        <li class="why-line">
          <span class="why-text">{waiting} ticks wait for the run of an earlier one.</span>
          {lastRunId !== undefined && <RunLink id={lastRunId} />}
        </li>
      )}
      {backfill !== undefined && <BackfillLine backfill={backfill} />}
    </ul>
  );
}

function PausedLine({ paused }: Required<Pick<ScheduleRecord, "paused">>): JSX.Element {
  const { at, by, reason } = paused;
  return (
    <li class="why-line">
      <span class="why-text">
        {by === "failures" ? (
          "Paused by itself: too many runs failed in a row."
        ) : (
          <>
            Paused by <Text of={by} max={80} />: its ticks are skipped.
          </>
        )}
      </span>
      <span class="why-times">
        since <Ago at={at} />
      </span>
      {reason !== undefined && <Text of={reason} max={400} />}
    </li>
  );
}

function BackfillLine({ backfill }: Required<Pick<ScheduleRecord, "backfill">>): JSX.Element {
  const { from, until, done, total, by } = backfill;
  return (
    <li class="why-line">
      <span class="why-text">
        A backfill is in progress: {done.toLocaleString("en")} of {total.toLocaleString("en")} ticks.
      </span>
      <span class="why-times">
        from {secondText(from)} until {secondText(until)}, by <Text of={by} max={80} />
      </span>
    </li>
  );
}

function Declared({ schedule }: { readonly schedule: ScheduleRecord }): JSX.Element {
  const { workflowId, workflowVersion, from, until, skip = [], spread, overlap, catchUp, onFailures, tags } = schedule;
  return (
    <>
      <Fact name="Workflow">
        <a href={runsPath(`workflow:${JSON.stringify(workflowId)}`)}>
          <Text of={workflowId} max={80} />
        </a>
        {workflowVersion !== undefined && <span class="muted"> v{visible(workflowVersion)}</span>}
      </Fact>
      <Fact name="Times">
        <span class="mono">{visible(timesText(schedule).slice(0, 300))}</span>
      </Fact>
      {from !== undefined && <Fact name="From">{visible(from)}</Fact>}
      {until !== undefined && <Fact name="Until">{visible(until)}</Fact>}
      {skip.length > 0 && <Fact name="Except">{visible(skip.join(", ").slice(0, 200))}</Fact>}
      {spread !== undefined && (
        <Fact name="Spread">{typeof spread === "number" ? durationText(spread) : visible(spread)}</Fact>
      )}
      <Fact name="While the run before executes">{OVERLAP_TEXTS[overlap]}</Fact>
      <Fact name="Of missed ticks">{CATCH_UP_TEXTS[catchUp]}</Fact>
      {onFailures !== undefined && <Fact name="Pauses after">{onFailures.pauseAfter} failed runs in a row</Fact>}
      {tags.length > 0 && (
        <Fact name="Tags">
          <Tags tags={tags} />
        </Fact>
      )}
    </>
  );
}

function Numbers({ schedule }: { readonly schedule: ScheduleRecord }): JSX.Element {
  const { source, createdBy, createdAt, failures, lateMs } = schedule;
  return (
    <>
      <Fact name="Ticks so far">{visible(countsText(schedule))}</Fact>
      {failures > 0 && <Fact name="Failed in a row">{failures}</Fact>}
      {lateMs !== undefined && lateMs >= 1_000 && <Fact name="The newest was late by">{durationText(lateMs)}</Fact>}
      <Fact name={source === "code" ? "Declared in the code" : "Made by"}>
        {source === "api" && <Text of={`${createdBy} `} max={80} />}
        <Ago at={createdAt} />
      </Fact>
    </>
  );
}
