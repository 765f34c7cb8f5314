/**
 * The page of all runs: search, filter, list.
 *
 * Owns: the search box and its chips, whose text is in the URL, as the columns are.
 */
import { RUN_STATUSES, type RunFilter } from "@holdfast/workflows/client";
import { useEffect, useMemo, useState } from "preact/hooks";
import type { JSX } from "preact";
import { serverNow } from "../clock.ts";
import { navigate, openPath, runPath, runsPath } from "../router.ts";
import { session } from "../session.ts";
import { StatusIcon, statusText } from "../ui/status.tsx";
import { ColumnChoice } from "./column-choice.tsx";
import { shownColumns } from "./columns.ts";
import { countsFor, sumOf } from "./count-sums.ts";
import { counts, watchCounts } from "./counts.ts";
import { ExportButtons } from "./export-button.tsx";
import { parseSearch, withStatus } from "./filter.ts";
import { RunList } from "./run-list.ts";
import { RunsBody } from "./runs-body.tsx";
import { ListWatch } from "./watch-list.ts";

interface RunsPageProps {
  readonly query: string;
  /** Of the URL. */
  readonly columns: string | undefined;
}

export function RunsPage({ query, columns }: RunsPageProps): JSX.Element {
  const search = useMemo(() => parseSearch(query, serverNow()), [query]);
  const filter = search.kind === "filter" ? search.filter : {};
  const watch = useMemo(() => new ListWatch(new RunList(filter)), [search]);
  useEffect(() => {
    document.title = query === "" ? "Runs · Holdfast" : `${query} · Holdfast`;
  }, [query]);
  useEffect(() => (search.kind === "invalid" ? undefined : watch.start()), [watch, search, session.value]);
  useEffect(() => watchCounts(), [session.value]);
  const hasIndex = watch.failure.value?.code !== "index_not_configured";
  return (
    <main class="page runs-page">
      <h1 class="hidden-text">Runs</h1>
      <SearchBox query={query} columns={columns} problem={search.kind === "invalid" ? search.problem : undefined} />
      {hasIndex && <Chips query={query} columns={columns} filter={filter} />}
      {hasIndex && search.kind === "filter" && (
        <div class="list-bar">
          <ExportButtons filter={filter} key={query} />
          <a class="button quiet" href={openPath()}>
            Open a file
          </a>
          <ColumnChoice query={query} columns={columns} />
        </div>
      )}
      {search.kind !== "invalid" && <RunsBody watch={watch} query={query} columns={shownColumns(columns)} />}
    </main>
  );
}

interface SearchBoxProps extends RunsPageProps {
  readonly problem: string | undefined;
}

function SearchBox({ query, columns, problem }: SearchBoxProps): JSX.Element {
  const [text, setText] = useState(query);
  useEffect(() => setText(query), [query]);
  const submit = (event: Event): void => {
    event.preventDefault();
    const search = parseSearch(text, serverNow());
    if (search.kind === "id" && search.id !== "") navigate(runPath(search.id));
    else navigate(runsPath(text.trim(), columns));
  };
  return (
    <form class="search" role="search" onSubmit={submit}>
      <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
        <path d="M7 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9M10.4 10.4l3.4 3.4" />
      </svg>
      <input
        type="search"
        id="search"
        aria-label="Search: a run id, or a filter"
        aria-describedby={problem === undefined ? undefined : "search-problem"}
        aria-invalid={problem !== undefined}
        placeholder="Run id, or status:failed workflow:order tag:vip created:>1d"
        autocomplete="off"
        spellcheck={false}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <kbd aria-hidden="true">/</kbd>
      {problem !== undefined && (
        <p id="search-problem" class="note is-bad">
          {problem}
        </p>
      )}
    </form>
  );
}

interface ChipsProps extends RunsPageProps {
  readonly filter: RunFilter;
}

function Chips({ query, columns, filter }: ChipsProps): JSX.Element {
  const current = countsFor(counts.value, filter);
  const isPartial = (counts.value?.unread ?? 0) > 0;
  const countText = (count: number): string => `${count.toLocaleString("en")}${isPartial ? "+" : ""}`;
  return (
    <nav class="chips" aria-label="Status" title={isPartial ? "Parts of the index did not answer." : undefined}>
      <a
        class="chip"
        href={runsPath(withStatus(query, undefined), columns)}
        aria-current={filter.status === undefined ? "true" : undefined}
      >
        All
        {current !== undefined && <span class="chip-count num">{countText(sumOf(current))}</span>}
      </a>
      {RUN_STATUSES.map((one) => (
        <a
          class="chip"
          href={runsPath(withStatus(query, one), columns)}
          aria-current={filter.status === one ? "true" : undefined}
          key={one}
        >
          <StatusIcon status={one} />
          {statusText(one)}
          {current?.[one] !== undefined && <span class="chip-count num">{countText(current[one])}</span>}
        </a>
      ))}
    </nav>
  );
}
