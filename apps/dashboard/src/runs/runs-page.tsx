/**
 * The page of all runs: search, filter, list.
 *
 * Owns: the search box and its chips, whose text is in the URL.
 */
import { RUN_STATUSES } from "@holdfast/workflows/client";
import { useEffect, useMemo, useState } from "preact/hooks";
import type { JSX } from "preact";
import { serverNow } from "../clock.ts";
import { navigate, runPath, runsPath } from "../router.ts";
import { session } from "../session.ts";
import { StatusIcon, statusText } from "../ui/status.tsx";
import { parseSearch, withStatus } from "./filter.ts";
import { RunList } from "./run-list.ts";
import { RunsBody } from "./runs-table.tsx";

export function RunsPage({ query }: { readonly query: string }): JSX.Element {
  const search = useMemo(() => parseSearch(query, serverNow()), [query]);
  const list = useMemo(() => new RunList(search.kind === "filter" ? search.filter : {}), [search]);
  useEffect(() => {
    document.title = query === "" ? "Runs · Holdfast" : `${query} · Holdfast`;
  }, [query]);
  useEffect(() => (search.kind === "invalid" ? undefined : list.watch()), [list, search, session.value]);
  return (
    <main class="page runs-page">
      <h1 class="hidden-text">Runs</h1>
      <SearchBox query={query} problem={search.kind === "invalid" ? search.problem : undefined} />
      <Chips query={query} />
      {search.kind !== "invalid" && <RunsBody list={list} query={query} />}
    </main>
  );
}

function SearchBox({ query, problem }: { readonly query: string; readonly problem: string | undefined }): JSX.Element {
  const [text, setText] = useState(query);
  useEffect(() => setText(query), [query]);
  const submit = (event: Event): void => {
    event.preventDefault();
    const search = parseSearch(text, serverNow());
    if (search.kind === "id" && search.id !== "") navigate(runPath(search.id));
    else navigate(runsPath(text.trim()));
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

function Chips({ query }: { readonly query: string }): JSX.Element {
  const status = /(?:^|\s)status:(\S+)/.exec(query)?.[1];
  return (
    <nav class="chips" aria-label="Status">
      <a
        class="chip"
        href={runsPath(withStatus(query, undefined))}
        aria-current={status === undefined ? "true" : undefined}
      >
        All
      </a>
      {RUN_STATUSES.map((one) => (
        <a
          class="chip"
          href={runsPath(withStatus(query, one))}
          aria-current={status === one ? "true" : undefined}
          key={one}
        >
          <StatusIcon status={one} />
          {statusText(one)}
        </a>
      ))}
    </nav>
  );
}
