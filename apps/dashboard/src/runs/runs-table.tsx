/**
 * The list of runs as a table, and what stands in its place when there are none.
 */
import type { ListedRun } from "@holdfast/workflows/client";
import type { JSX } from "preact";
import { FailureNote } from "../failure.tsx";
import { runPath, runsPath } from "../router.ts";
import { Tags } from "../run/header.tsx";
import { signedOut } from "../session.ts";
import { Status } from "../ui/status.tsx";
import { Text, visible } from "../ui/text.tsx";
import { Ago, Took } from "../ui/times.tsx";
import type { RunList } from "./run-list.ts";
import { whyText } from "./why-text.ts";

export function RunsBody({ list, query }: { readonly list: RunList; readonly query: string }): JSX.Element {
  const rows = list.rows.value;
  const failure = list.failure.value;
  const fresh = list.fresh.value.length;
  if (failure?.code === "index_not_configured") return <NoIndex />;
  return (
    <>
      {failure && <FailureNote failure={failure} />}
      <div aria-live="polite" class="fresh">
        {fresh > 0 && (
          <button type="button" class="pill" onClick={() => list.showFresh()}>
            {fresh === 1 ? "1 new run" : `${fresh} new runs`}
          </button>
        )}
      </div>
      {rows === undefined && !failure && (
        <p class="muted loading">{signedOut.value ? "Sign in to see runs." : "Loading…"}</p>
      )}
      {rows?.length === 0 && (query === "" ? <NoRuns /> : <NoMatch query={query} />)}
      {rows !== undefined && rows.length > 0 && <RunsTable rows={rows} />}
      {list.cursor.value !== null && (
        <p class="more">
          <button type="button" onClick={() => void list.more()}>
            Load older runs
          </button>
          <span class="muted">{rows?.length} are loaded</span>
        </p>
      )}
    </>
  );
}

function RunsTable({ rows }: { readonly rows: readonly ListedRun[] }): JSX.Element {
  return (
    <table class="runs">
      <thead>
        <tr>
          <th scope="col">Status</th>
          <th scope="col">Run</th>
          <th scope="col">Workflow</th>
          <th scope="col">Why</th>
          <th scope="col" class="right">
            Duration
          </th>
          <th scope="col" class="right">
            Created
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map((run) => (
          <Row run={run} key={run.id} />
        ))}
      </tbody>
    </table>
  );
}

function Row({ run }: { readonly run: ListedRun }): JSX.Element {
  const { id, workflowId, workflowVersion, status, tags, createdAt, startedAt, endedAt } = run;
  return (
    <tr>
      <td class="cell-status">
        <Status status={status} />
      </td>
      <th scope="row" class="cell-run">
        <a class="mono row-link" href={runPath(id)} data-row>
          <Text of={id} max={80} />
        </a>
        {tags.length > 0 && <Tags tags={tags} />}
      </th>
      <td class="cell-workflow">
        <Text of={workflowId} max={80} />
        {workflowVersion !== null && <span class="muted"> v{visible(workflowVersion)}</span>}
      </td>
      <td class="cell-why">
        <WhyCell run={run} />
      </td>
      <td class="cell-took right num">{startedAt !== undefined && <Took from={startedAt} to={endedAt} />}</td>
      <td class="cell-created right num">
        <Ago at={createdAt} />
      </td>
    </tr>
  );
}

function WhyCell({ run }: { readonly run: ListedRun }): JSX.Element | null {
  const { error, why } = run;
  const text = why === undefined ? "" : whyText(why.code);
  if (text === "") return error === undefined ? null : <Text of={error.message} max={160} />;
  return (
    <>
      {text}
      {why?.until !== undefined && (
        <span class="muted">
          {" · "}
          <Ago at={why.until} />
        </span>
      )}
    </>
  );
}

function NoRuns(): JSX.Element {
  return (
    <section class="empty">
      <h2>No runs yet</h2>
      <p>Start one from a terminal. It appears here within seconds.</p>
      <pre tabIndex={0}>{`curl -X POST ${location.origin}/api/runs \\
  -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \\
  -d '{ "workflowId": "order", "input": {} }'`}</pre>
    </section>
  );
}

function NoMatch({ query }: { readonly query: string }): JSX.Element {
  return (
    <section class="empty">
      <h2>No run matches</h2>
      <p class="mono">{visible(query)}</p>
      <p>
        <a class="button" href={runsPath()}>
          Clear the filter
        </a>
      </p>
    </section>
  );
}

function NoIndex(): JSX.Element {
  return (
    <section class="empty">
      <h2>This deployment has no index of runs</h2>
      <p>Runs cannot be listed. Type the id of a run above to open it.</p>
    </section>
  );
}
