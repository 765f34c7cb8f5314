/**
 * Two runs of one workflow, side by side.
 *
 * Owns: reading both, and what is said when they cannot be compared. `pairs.tsx` has the table.
 */
import { type RunRecord, isTerminal } from "@holdfast/workflows/client";
import { useEffect, useMemo, useState } from "preact/hooks";
import type { JSX } from "preact";
import { serverNow } from "../clock.ts";
import { type Failure, FailureNote, failureOf } from "../failure.tsx";
import { comparePath, navigate, runPath } from "../router.ts";
import { type WholeRun, readWholeRun } from "../run/run-data.ts";
import { session, signedOut } from "../session.ts";
import { TimelineModel } from "../timeline/model.ts";
import { formatDuration } from "../timeline/times.ts";
import { Status } from "../ui/status.tsx";
import { Text } from "../ui/text.tsx";
import { Ago } from "../ui/times.tsx";
import { alignRows } from "./align.ts";
import { ValueDifferences } from "./differences.tsx";
import { PairTable } from "./pairs.tsx";

interface ComparePageProps {
  readonly a: string | undefined;
  readonly b: string | undefined;
}

export function ComparePage({ a, b }: ComparePageProps): JSX.Element {
  useEffect(() => {
    document.title = "Compare · Holdfast";
  }, []);
  return (
    <main class="page compare-page">
      <h1>Compare two runs</h1>
      <Choice a={a} b={b} key={`${a} ${b}`} />
      {a !== undefined && b !== undefined && <Comparison a={a} b={b} key={`${a} / ${b}`} />}
    </main>
  );
}

function compare(event: SubmitEvent): void {
  event.preventDefault();
  const inputs = (event.currentTarget as HTMLFormElement).querySelectorAll("input");
  const [a, b] = Array.from(inputs, ({ value }) => value.trim());
  if (a && b) navigate(comparePath(a, b));
}

function Choice({ a = "", b = "" }: ComparePageProps): JSX.Element {
  return (
    <form class="compare-choice" onSubmit={compare}>
      <label>
        Run A
        <input name="a" class="mono" defaultValue={a} required autocomplete="off" spellcheck={false} />
      </label>
      <label>
        Run B
        <input name="b" class="mono" defaultValue={b} required autocomplete="off" spellcheck={false} />
      </label>
      <button type="submit" class="primary">
        Compare
      </button>
      {a !== "" && b !== "" && (
        <a class="button" href={comparePath(b, a)}>
          Swap
        </a>
      )}
    </form>
  );
}

function Comparison({ a, b }: { readonly a: string; readonly b: string }): JSX.Element {
  const [runs, setRuns] = useState<readonly [WholeRun, WholeRun]>();
  const [failure, setFailure] = useState<Failure>();
  const [count, setCount] = useState(0);
  useEffect(() => {
    const ended = new AbortController();
    const { signal } = ended;
    const counts = [0, 0];
    setFailure(undefined);
    const read = (id: string, side: 0 | 1): Promise<WholeRun> =>
      readWholeRun(id, {
        signal,
        onCount: (of) => {
          counts[side] = of;
          setCount(counts.reduce((sum, one) => sum + one, 0));
        },
      });
    Promise.all([read(a, 0), read(b, 1)]).then(
      (both) => signal.aborted || setRuns(both),
      (error: unknown) => signal.aborted || setFailure(failureOf(error)),
    );
    return () => ended.abort();
  }, [a, b, session.value]);
  if (failure !== undefined && failure.status !== 401) return <FailureNote failure={failure} />;
  if (signedOut.value && runs === undefined) return <p class="muted">Sign in to see the runs.</p>;
  if (runs === undefined)
    return <p class="muted">Loading…{count > 0 && ` ${count.toLocaleString("en")} entries are read.`}</p>;
  return <Compared a={runs[0]} b={runs[1]} />;
}

function Compared({ a, b }: { readonly a: WholeRun; readonly b: WholeRun }): JSX.Element {
  const readAt = useMemo(() => serverNow(), []);
  const pairs = useMemo(() => alignRows(rowsOf(a), rowsOf(b)), [a, b]);
  const nows = [a.run.endedAt ?? readAt, b.run.endedAt ?? readAt] as const;
  return (
    <>
      {a.run.workflowId !== b.run.workflowId && (
        <p class="note is-bad">These are runs of two workflows. Operations are compared by their names.</p>
      )}
      <Heads a={a.run} b={b.run} nows={nows} />
      <PairTable pairs={pairs} nows={nows} runs={[a.run.id, b.run.id]} />
      <ValueDifferences name="Input" a={a.run.input} b={b.run.input} />
      {isTerminal(a.run.status) && isTerminal(b.run.status) && (
        <ValueDifferences name="Output" a={a.run.output ?? a.run.error} b={b.run.output ?? b.run.error} />
      )}
    </>
  );
}

function rowsOf({ run, entries }: WholeRun): TimelineModel["rows"] {
  const model = new TimelineModel();
  model.add(entries);
  model.setRun(run);
  return model.rows;
}

interface HeadsProps {
  readonly a: RunRecord;
  readonly b: RunRecord;
  readonly nows: readonly [number, number];
}

function Heads({ a, b, nows }: HeadsProps): JSX.Element {
  const took = [a, b].map(({ startedAt, createdAt }, index) => (nows[index] ?? 0) - (startedAt ?? createdAt));
  const delta = (took[1] ?? 0) - (took[0] ?? 0);
  return (
    <div class="compare-heads">
      {[a, b].map((run, index) => (
        <section key={index} aria-label={`Run ${index === 0 ? "A" : "B"}`}>
          <b>{index === 0 ? "A" : "B"}</b> <Status status={run.status} />
          <a class="mono" href={runPath(run.id)}>
            <Text of={run.id} max={80} />
          </a>
          <Text of={run.workflowId} max={80} />
          <span class="muted">
            <Ago at={run.createdAt} />, took {formatDuration(took[index] ?? 0)}
            {index === 1 && ` (${delta >= 0 ? "+" : ""}${formatDuration(delta)})`}
          </span>
        </section>
      ))}
    </div>
  );
}
