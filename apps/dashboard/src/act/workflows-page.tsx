/**
 * The page of the workflows: what the deployment serves, and how many runs each has, by status.
 */
import { type CountsAnswer, RUN_STATUSES, type RunStatus, type WorkflowInfo } from "@holdfast/workflows/client";
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { type Failure, FailureNote, failureOf } from "../failure.tsx";
import { runsPath, startPath } from "../router.ts";
import { api, session, signedOut } from "../session.ts";
import { StatusIcon, statusText } from "../ui/status.tsx";
import { Text, visible } from "../ui/text.tsx";
import { durationText } from "../ui/times.tsx";
import { type WorkflowRow, workflowRows } from "./workflow-rows.ts";

interface State {
  readonly workflows?: readonly WorkflowInfo[];
  readonly counts?: CountsAnswer;
  readonly failure?: Failure | undefined;
}

export function WorkflowsPage(): JSX.Element {
  const [state, setState] = useState<State>({});
  const { workflows, counts, failure } = state;
  useEffect(() => {
    document.title = "Workflows · Holdfast";
  }, []);
  useEffect(() => read((more) => setState((one) => ({ ...one, ...more }))), [session.value]);
  const rows = workflows === undefined ? undefined : workflowRows(workflows, counts);
  return (
    <main class="page workflows-page">
      <h1>Workflows</h1>
      {failure !== undefined && <FailureNote failure={failure} />}
      {rows === undefined && failure === undefined && (
        <p class="muted loading">{signedOut.value ? "Sign in to see the workflows." : "Loading…"}</p>
      )}
      {rows?.length === 0 && <NoWorkflows />}
      {rows !== undefined && rows.length > 0 && (
        <ul class="workflows">
          {rows.map((row) => (
            <Workflow row={row} key={row.id} />
          ))}
        </ul>
      )}
      {counts !== undefined && counts.unread > 0 && (
        <p class="note">{counts.unread} parts of the index did not answer: their runs are not counted.</p>
      )}
    </main>
  );
}

/** Returns the function that ends it. Without an index there are no numbers. */
function read(setState: (more: State) => void): () => void {
  const ended = new AbortController();
  const options = { signal: ended.signal };
  api()
    .workflows(options)
    .then(
      (workflows) => setState({ workflows, failure: undefined }),
      (error: unknown) => !ended.signal.aborted && setState({ failure: failureOf(error) }),
    );
  api()
    .counts(options)
    .then((counts) => setState({ counts }))
    .catch(() => {
      // The workflows are shown without numbers.
    });
  return () => ended.abort();
}

function Workflow({ row: { id, served, runs } }: { readonly row: WorkflowRow }): JSX.Element {
  const filter = `workflow:${JSON.stringify(id)}`;
  const described = served.find(({ description }) => description !== undefined)?.description;
  return (
    <li class="workflow">
      <div class="workflow-top">
        <h2 class="mono">
          <a href={runsPath(filter)}>
            <Text of={id} max={120} />
          </a>
        </h2>
        <Versions served={served} />
        <span class="grow" />
        {served.length > 0 && (
          <a class="button" href={startPath({ workflow: id })} aria-label={`Start ${visible(id.slice(0, 80))}`}>
            Start
          </a>
        )}
      </div>
      {described !== undefined && (
        <p>
          <Text of={described} max={600} />
        </p>
      )}
      <Settings served={served} />
      {runs !== undefined && <Numbers runs={runs} filter={filter} />}
    </li>
  );
}

function Versions({ served }: { readonly served: readonly WorkflowInfo[] }): JSX.Element {
  if (served.length === 0) return <span class="note-inline">not served by this deployment</span>;
  return (
    <span class="tags">
      {served.map(({ version }) => (
        <span class="tag" key={version ?? ""}>
          {version === undefined ? "no version" : `v${visible(version.slice(0, 40))}`}
        </span>
      ))}
    </span>
  );
}

function Settings({ served }: { readonly served: readonly WorkflowInfo[] }): JSX.Element | null {
  const last = served.at(-1);
  const { tags = [], timeoutMs } = last ?? {};
  if (tags.length === 0 && timeoutMs === undefined) return null;
  return (
    <p class="muted">
      {timeoutMs !== undefined && `Time budget ${durationText(timeoutMs)}`}
      {timeoutMs !== undefined && tags.length > 0 && " · "}
      {tags.length > 0 && `Tags ${visible(tags.join(", ").slice(0, 300))}`}
    </p>
  );
}

interface NumbersProps {
  readonly runs: Readonly<Partial<Record<RunStatus, number>>>;
  readonly filter: string;
}

function Numbers({ runs, filter }: NumbersProps): JSX.Element {
  const found = RUN_STATUSES.filter((status) => (runs[status] ?? 0) > 0);
  if (found.length === 0) return <p class="muted">No runs</p>;
  return (
    <ul class="chips">
      {found.map((status) => (
        <li key={status}>
          <a class="chip" href={runsPath(`status:${status} ${filter}`)}>
            <StatusIcon status={status} />
            {statusText(status)} <strong class="num">{(runs[status] ?? 0).toLocaleString("en")}</strong>
          </a>
        </li>
      ))}
    </ul>
  );
}

function NoWorkflows(): JSX.Element {
  return (
    <section class="empty">
      <h2>This deployment serves no workflow</h2>
      <p>Pass the results of workflow() to holdfast(), or to your step handler.</p>
    </section>
  );
}
