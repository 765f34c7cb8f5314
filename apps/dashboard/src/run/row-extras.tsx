/**
 * What the details of an operation offer on the page of a run: to resume from it (T6), and who gave its result (T7).
 */
import { useState } from "preact/hooks";
import type { RunRecord } from "@holdfast/workflows/client";
import type { JSX } from "preact";
import { openAction } from "../act/opened.ts";
import { ValueDifferences } from "../compare/differences.tsx";
import { type Failure, FailureNote, failureOf } from "../failure.tsx";
import { runPath } from "../router.ts";
import { api } from "../session.ts";
import type { Row } from "../timeline/rows.ts";
import { Text } from "../ui/text.tsx";
import { Ago } from "../ui/times.tsx";

interface RowExtrasProps {
  readonly run: RunRecord;
  readonly row: Row;
  /** Of the run itself: not of a child that is open in the timeline. */
  readonly isOwn: boolean;
}

export function RowExtras({ run, row, isOwn }: RowExtrasProps): JSX.Element | null {
  const { kind, name, occurrence } = row.operation;
  const isEnded = row.state === "completed" || row.state === "failed" || row.state === "taken over";
  if (kind !== "step" || !isEnded || !isOwn) return null;
  const given = row.entries.findLast(({ seeded }) => seeded === true);
  return (
    <>
      <p>
        <button type="button" onClick={() => openAction(run.id, "resumeRun", { step: { name, occurrence } })}>
          Resume from here…
        </button>
      </p>
      {given !== undefined && <GivenResult run={run} name={name} value={given["value"]} key={row.id} />}
      {given === undefined && row.state === "taken over" && run.resumedFrom !== undefined && (
        <p class="given-result">
          The result is that of the run before,{" "}
          <a class="mono" href={runPath(run.resumedFrom.runId, { op: row.id })}>
            <Text of={run.resumedFrom.runId} max={80} />
          </a>
          .
        </p>
      )}
    </>
  );
}

interface GivenResultProps {
  readonly run: RunRecord;
  readonly name: string;
  readonly value: unknown;
}

/** The result was given to the resume that made this run: its body did not execute. */
function GivenResult({ run, name, value }: GivenResultProps): JSX.Element {
  const [before, setBefore] = useState<{ readonly value: unknown } | "none">();
  const [failure, setFailure] = useState<Failure>();
  const { triggeredBy, createdAt, resumedFrom } = run;
  const compare = async (parent: string): Promise<void> => {
    try {
      setBefore((await resultIn(parent, name)) ?? "none");
    } catch (error) {
      setFailure(failureOf(error));
    }
  };
  return (
    <section class="given-result" aria-label="Given result">
      <h3>Given result</h3>
      <p>
        <Text of={triggeredBy} max={80} /> gave it <Ago at={createdAt} />, to the resume
        {resumedFrom !== undefined && (
          <>
            {" of "}
            <a class="mono" href={runPath(resumedFrom.runId)}>
              <Text of={resumedFrom.runId} max={80} />
            </a>
          </>
        )}
        . The step did not execute.
      </p>
      {failure && <FailureNote failure={failure} />}
      {before === undefined && resumedFrom !== undefined && (
        <button type="button" onClick={() => void compare(resumedFrom.runId)}>
          Compare with the result there
        </button>
      )}
      {before === "none" && <p class="muted">The step has no result there.</p>}
      {typeof before === "object" && (
        <ValueDifferences name="Result" a={before.value} b={value} names={["Before", "Given"]} />
      )}
    </section>
  );
}

/** A given result replaces that of the first use of the name (RES2). */
async function resultIn(runId: string, name: string): Promise<{ readonly value: unknown } | undefined> {
  for await (const { type, operation, value } of api().run(runId).journal()) {
    const { kind, name: of, occurrence } = operation;
    if (type === "step.completed" && kind === "step" && of === name && occurrence === 0) return { value };
  }
  return undefined;
}
