/**
 * The page of all runs: search, filter, list.
 *
 * Owns: the search box and its chips, whose text is in the URL, as the columns are.
 */
import { RUN_STATUSES, type RunFilter } from "@holdfast/workflows/client";
import { useEffect, useMemo } from "preact/hooks";
import type { JSX } from "preact";
import { serverNow } from "../clock.ts";
import { navigate, openPath, runPath, runsPath } from "../router.ts";
import { session } from "../session.ts";
import { SearchForm } from "../ui/search-form.tsx";
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
  const search = (text: string): void => {
    const found = parseSearch(text, serverNow());
    if (found.kind === "id" && found.id !== "") navigate(runPath(found.id));
    else navigate(runsPath(text.trim(), columns));
  };
  return (
    <SearchForm
      label="Search: a run id, or a filter"
      placeholder="Run id, or status:failed workflow:order tag:vip created:>1d"
      text={query}
      problem={problem}
      onSearch={search}
    />
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
