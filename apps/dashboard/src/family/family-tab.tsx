/**
 * The family of a run as a tree.
 *
 * Owns: which branches are open. A branch is read when the reader opens it.
 */
import { useEffect, useRef, useState } from "preact/hooks";
import type { RunOverview, RunRecord } from "@holdfast/workflows/client";
import type { JSX } from "preact";
import { type Failure, FailureNote, failureOf } from "../failure.tsx";
import { comparePath, runPath } from "../router.ts";
import { api, session } from "../session.ts";
import { Status } from "../ui/status.tsx";
import { Text, visible } from "../ui/text.tsx";
import { Ago, Took } from "../ui/times.tsx";
import {
  CHILDREN_PAGE,
  type ChildPage,
  LEVELS_MAX,
  type Relative,
  readAncestors,
  readChildren,
  relativeOf,
} from "./family-data.ts";

export function FamilyTab({ run }: { readonly run: RunRecord }): JSX.Element {
  const ancestors = useAncestors(run);
  return (
    <div class="family">
      <Resumed run={run} />
      {ancestors === undefined && run.parent !== undefined && <p class="muted">Loading…</p>}
      <ul class="family-tree" aria-label="Family of the run">
        <Above ancestors={(ancestors ?? []).toReversed()} run={run} />
      </ul>
    </div>
  );
}

function useAncestors({ id, parent }: RunRecord): readonly Relative[] | undefined {
  const [ancestors, setAncestors] = useState<readonly Relative[]>();
  useEffect(() => {
    const ended = new AbortController();
    const read = (one: string): Promise<RunOverview> => api().run(one).get({ view: "summary", signal: ended.signal });
    void readAncestors({ parent }, read).then((found) => ended.signal.aborted || setAncestors(found));
    return () => ended.abort();
  }, [id, session.value]);
  return ancestors;
}

/** The ancestors, each around the next one, and the run itself inside. */
function Above({
  ancestors: [first, ...others],
  run,
}: {
  ancestors: readonly Relative[];
  run: RunRecord;
}): JSX.Element {
  if (first === undefined)
    return (
      <li aria-current="true">
        <RunLine relative={relativeOf(run)} isSelf />
        <Children runId={run.id} level={1} version={run.updatedAt} isOpen />
      </li>
    );
  return (
    <li>
      <RunLine relative={first} />
      <ul>
        <Above ancestors={others} run={run} />
      </ul>
    </li>
  );
}

function RunLine({
  relative,
  isSelf = false,
}: {
  readonly relative: Relative;
  readonly isSelf?: boolean;
}): JSX.Element {
  const { id, workflowId, status, createdAt, startedAt, endedAt } = relative;
  return (
    <span class="family-line">
      {status !== undefined && <Status status={status} />}
      {isSelf ? (
        <strong class="mono">
          <Text of={id} max={80} />
        </strong>
      ) : (
        <a class="mono" href={runPath(id, { tab: "family" })} data-row>
          <Text of={id} max={80} />
        </a>
      )}
      {workflowId !== undefined && <Text of={workflowId} max={80} />}
      {createdAt !== undefined && (
        <span class="muted">
          <Ago at={createdAt} />
        </span>
      )}
      {startedAt !== undefined && endedAt !== undefined && (
        <span class="muted">
          took <Took from={startedAt} to={endedAt} />
        </span>
      )}
    </span>
  );
}

interface ChildrenProps {
  readonly runId: string;
  readonly level: number;
  /** The children are read again when it changes. */
  readonly version?: number;
  readonly isOpen?: boolean;
}

function Children({ runId, level, version = 0, isOpen = false }: ChildrenProps): JSX.Element {
  const [open, setOpen] = useState(isOpen);
  const { page, failure, more } = useChildren(runId, open, version);
  if (level > LEVELS_MAX)
    return (
      <p class="muted">
        Deeper levels: <a href={runPath(runId, { tab: "family" })}>open this run</a>
      </p>
    );
  return (
    <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Children of {visible(runId.slice(0, 60))}</summary>
      {failure && <FailureNote failure={failure} />}
      {page === undefined && !failure && <p class="muted">Loading…</p>}
      {page?.children.length === 0 && <p class="muted">None.</p>}
      {page !== undefined && page.children.length > 0 && (
        <ul>
          {page.children.map((child) => (
            <li key={child.id}>
              <RunLine relative={child} />
              <Children runId={child.id} level={level + 1} />
            </li>
          ))}
        </ul>
      )}
      {page !== undefined && page.nextCursor !== null && (
        <p class="more">
          <button type="button" onClick={more}>
            Load more children
          </button>
          <span class="muted">{page.children.length} are loaded</span>
        </p>
      )}
    </details>
  );
}

interface LoadedChildren {
  readonly page: ChildPage | undefined;
  readonly failure: Failure | undefined;
  readonly more: () => void;
}

function useChildren(runId: string, isOpen: boolean, version: number): LoadedChildren {
  const [page, setPage] = useState<ChildPage>();
  const [failure, setFailure] = useState<Failure>();
  const reading = useRef<AbortController>(undefined);
  /** One reading at a time: an earlier one would put back what it began with. */
  const read = async (before: ChildPage | undefined): Promise<void> => {
    reading.current?.abort();
    const { signal } = (reading.current = new AbortController());
    try {
      const next = await readChildren(runId, before?.nextCursor ?? undefined, signal);
      if (signal.aborted) return;
      setPage({ ...next, children: [...(before?.children ?? []), ...next.children] });
      setFailure(undefined);
    } catch (error) {
      if (!signal.aborted) setFailure(failureOf(error));
    }
  };
  useEffect(() => {
    // A reader who loaded more keeps what is there.
    if (isOpen && (page === undefined || page.children.length <= CHILDREN_PAGE)) void read(undefined);
  }, [runId, isOpen, version, session.value]);
  useEffect(() => () => reading.current?.abort(), []);
  return { page, failure, more: () => void read(page) };
}

/** The runs from which this one was resumed, and those that were resumed from it. */
function Resumed({ run: { id, resumedFrom, resumedBy = [] } }: { readonly run: RunRecord }): JSX.Element | null {
  if (resumedFrom === undefined && resumedBy.length === 0) return null;
  return (
    <section class="family-resumed">
      <h2>Resumed</h2>
      <ul>
        {resumedFrom !== undefined && (
          <li>
            from{" "}
            <a class="mono" href={runPath(resumedFrom.runId, { tab: "family" })}>
              <Text of={resumedFrom.runId} max={80} />
            </a>
            {resumedFrom.step !== undefined && <> at step {visible(resumedFrom.step.slice(0, 80))}</>}{" "}
            <a href={comparePath(resumedFrom.runId, id)}>Compare</a>
          </li>
        )}
        {resumedBy.map((other) => (
          <li key={other}>
            by{" "}
            <a class="mono" href={runPath(other, { tab: "family" })}>
              <Text of={other} max={80} />
            </a>{" "}
            <a href={comparePath(id, other)}>Compare</a>
          </li>
        ))}
      </ul>
    </section>
  );
}
