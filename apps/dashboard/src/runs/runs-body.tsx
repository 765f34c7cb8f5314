/**
 * The list of runs, or what stands in its place when there are none.
 *
 * Owns: the pill that shows new runs, the button for older ones, and what an empty list says.
 */
import { useEffect, useState } from "preact/hooks";
import type { JSX } from "preact";
import { FailureNote } from "../failure.tsx";
import { runsPath } from "../router.ts";
import { api, hasToken, signedOut } from "../session.ts";
import { visible } from "../ui/text.tsx";
import type { Column } from "./columns.ts";
import { countFor, countsFor, sumOf } from "./count-sums.ts";
import { counts } from "./counts.ts";
import { RunsTable } from "./runs-table.tsx";
import { SelectionBar } from "./selection-bar.tsx";
import type { ListWatch } from "./watch-list.ts";

interface RunsBodyProps {
  readonly watch: ListWatch;
  readonly query: string;
  readonly columns: readonly Column[];
}

export function RunsBody({ watch, query, columns }: RunsBodyProps): JSX.Element {
  const { list } = watch;
  const rows = list.rows.value;
  const failure = watch.failure.value;
  const cursor = list.cursor.value;
  // A page may be empty although later ones are not.
  const isSearching = rows?.length === 0 && cursor !== null;
  useEffect(() => {
    if (isSearching && failure === undefined) void watch.more();
  }, [isSearching, cursor, failure]);
  if (failure?.code === "index_not_configured") return <NoIndex />;
  return (
    <>
      {failure && <FailureNote failure={failure} triesAgain />}
      <Fresh watch={watch} />
      {(rows === undefined || isSearching) && !failure && (
        <p class="muted loading">{signedOut.value ? "Sign in to see runs." : "Loading…"}</p>
      )}
      {rows?.length === 0 && !isSearching && (query === "" ? <NoRuns /> : <NoMatch query={query} />)}
      {rows !== undefined && rows.length > 0 && (
        <>
          <RunsTable list={list} rows={rows} columns={columns} />
          <SelectionBar list={list} />
          <More watch={watch} count={rows.length} />
        </>
      )}
    </>
  );
}

/** The place of the pill is there also while it is empty: rows never move. */
function Fresh({ watch: { list } }: { readonly watch: ListWatch }): JSX.Element {
  const fresh = list.fresh.value.length;
  const left = list.left.value.size;
  const name = `${fresh}${list.hasMoreFresh.value ? "+" : ""} new ${fresh === 1 ? "run" : "runs"}`;
  return (
    <div aria-live="polite" class="fresh">
      {(fresh > 0 || left > 0) && (
        <button type="button" class="pill" onClick={() => list.showFresh()}>
          {fresh > 0 ? name : `${left} no longer ${left === 1 ? "matches" : "match"}`}
        </button>
      )}
    </div>
  );
}

function More({ watch, count }: { readonly watch: ListWatch; readonly count: number }): JSX.Element | null {
  const total = countFor(counts.value, watch.list.filter);
  const isLoading = watch.isLoading.value;
  if (watch.list.cursor.value === null) return null;
  return (
    <p class="more">
      <button type="button" disabled={isLoading} onClick={() => void watch.more()}>
        {isLoading ? "Loading…" : "Load older runs"}
      </button>
      <span class="muted">
        {count.toLocaleString("en")}
        {total !== undefined && total > count ? ` of ${total.toLocaleString("en")}` : ""} are loaded
      </span>
    </p>
  );
}

function NoRuns(): JSX.Element {
  const [workflow, setWorkflow] = useState("order");
  useEffect(() => {
    api()
      .workflows()
      .then(([first]) => first !== undefined && setWorkflow(first.id))
      .catch(() => {
        // The example keeps its name.
      });
  }, []);
  const token = hasToken() ? ' -H "Authorization: Bearer $TOKEN"' : "";
  const body = JSON.stringify({ workflowId: workflow, input: {} }).replaceAll("'", "'\\''");
  return (
    <section class="empty">
      <h2>No runs yet</h2>
      <p>Start one from a terminal. It appears here within seconds.</p>
      <pre tabIndex={0}>{`curl -X POST ${location.origin}/api/runs${token} \\
  -H "Content-Type: application/json" \\
  -d '${visible(body)}'`}</pre>
    </section>
  );
}

function NoMatch({ query }: { readonly query: string }): JSX.Element {
  const all = countsFor(counts.value, {});
  return (
    <section class="empty">
      <h2>No run matches</h2>
      <p class="mono">{visible(query)}</p>
      <p>
        <a class="button" href={runsPath()}>
          Clear the filter
        </a>
      </p>
      {all !== undefined && <p class="muted">Without it there are {sumOf(all).toLocaleString("en")} runs.</p>}
    </section>
  );
}

function NoIndex(): JSX.Element {
  return (
    <section class="empty">
      <h2>This deployment has no index of runs</h2>
      <p>Runs cannot be listed. Type the id of a run above to open it.</p>
      <p class="muted">To list them, bind the class RunIndexDO as RUN_INDEX_DO.</p>
    </section>
  );
}
