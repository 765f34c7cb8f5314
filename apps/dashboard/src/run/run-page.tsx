/**
 * The page of a run: its header, and a tab for each view of it.
 *
 * Owns: the tabs and what the URL says about them. The header answers why the run does not move.
 */
import { useEffect, useMemo, useRef } from "preact/hooks";
import type { JSX } from "preact";
import { now } from "../clock.ts";
import { FailureNote } from "../failure.tsx";
import { navigate, runPath, runsPath } from "../router.ts";
import { session, signedOut } from "../session.ts";
import { Timeline } from "../timeline/timeline.tsx";
import { Boundary } from "../ui/boundary.tsx";
import { Text } from "../ui/text.tsx";
import { AuditTab } from "./audit.tsx";
import { DataTab } from "./data.tsx";
import { LiveIndicator } from "../live/indicator.tsx";
import { opened } from "../act/opened.ts";
import { RunHeader } from "./header.tsx";
import { Journal } from "../journal/journal.tsx";
import { FamilyTab, StreamsTab } from "./lazy-tabs.tsx";
import { RowExtras } from "./row-extras.tsx";
import { RawTab } from "./raw.tsx";
import { RunData, readChild } from "./run-data.ts";
import { watchRun } from "./watch.ts";

const TABS = ["timeline", "journal", "data", "streams", "family", "audit", "raw"] as const;

interface RunPageProps {
  readonly id: string;
  readonly tab: string;
  readonly op: string | undefined;
}

export function RunPage({ id, tab, op }: RunPageProps): JSX.Element {
  const data = useRunData(id);
  useEffect(() => {
    document.title = `${id} · Holdfast`;
  }, [id]);
  const run = data.record.value;
  const failure = data.failure.value;
  const news = useNews(data);
  if (run === undefined)
    return <Unread id={id} status={failure?.status} note={failure && <FailureNote failure={failure} triesAgain />} />;
  const selected = TABS.find((one) => one === tab) ?? "timeline";
  return (
    <main class="page run-page">
      {failure && <FailureNote failure={failure} triesAgain />}
      <RunHeader
        run={run}
        live={<LiveIndicator state={data.live.value} news={news} />}
        hasAsks={selected === "timeline"}
      />
      <nav class="tabs" aria-label="Views of the run">
        {TABS.map((one) => (
          <a
            href={runPath(id, { tab: one, op })}
            aria-current={one === selected ? "page" : undefined}
            data-tab
            key={one}
          >
            {one[0]?.toUpperCase() + one.slice(1)}
          </a>
        ))}
      </nav>
      <section class="tab-body" aria-label={selected}>
        <Boundary key={selected}>
          <TabBody data={data} tab={selected} op={op} />
        </Boundary>
      </section>
    </main>
  );
}

interface TabBodyProps {
  readonly data: RunData;
  readonly tab: (typeof TABS)[number];
  readonly op: string | undefined;
}

function TabBody({ data, tab, op }: TabBodyProps): JSX.Element | null {
  const run = data.record.value;
  const entries = data.journal.entries.value;
  const unloaded = {
    notLoaded: data.journal.notLoaded.value,
    isLoading: data.journal.isLoadingOlder.value,
    onLoadMore: () => void data.loadMore(),
  };
  if (run === undefined) return null;
  const onSelect = (selected: string): void => navigate(runPath(data.id, { tab, op: selected }), { replace: true });
  if (!data.journal.isRead.value && (tab === "timeline" || tab === "journal"))
    return <p class="muted">Loading the journal…</p>;
  if (tab === "timeline")
    return (
      <Timeline
        run={run}
        entries={entries}
        now={() => now.value}
        selected={op}
        onSelect={onSelect}
        loadRun={readChild}
        renderExtras={(row, isOwn) => <RowExtras run={run} row={row} isOwn={isOwn} />}
        {...unloaded}
      />
    );
  if (tab === "journal") return <Journal entries={entries} onSelect={onSelect} {...unloaded} />;
  if (tab === "data") return <DataTab run={run} />;
  if (tab === "streams")
    return <StreamsTab run={run} seq={entries.at(-1)?.seq ?? 0} op={op} onSelect={onSelect} key={data.id} />;
  if (tab === "family") return <FamilyTab run={run} key={data.id} />;
  if (tab === "audit") return <AuditTab id={data.id} />;
  return <RawTab run={run} onExport={async () => (await import("./export-run.ts")).exportRun(data)} />;
}

function useRunData(id: string): RunData {
  const data = useMemo(() => new RunData(id), [id]);
  useEffect(() => watchRun(data), [data, session.value]);
  const isActing = opened.value?.runId === id;
  useEffect(() => {
    // What an action changed in a run that has ended is no event of its stream.
    if (!isActing) data.changed();
  }, [data, isActing]);
  return data;
}

/** What a screen reader announces about a run that changes. */
function useNews(data: RunData): string {
  const first = useRef<number>(undefined);
  const last = data.journal.entries.value.at(-1)?.seq ?? 0;
  if (data.journal.isRead.value) first.current ??= last;
  const count = last - (first.current ?? last);
  return count === 0 ? "" : `${count} new ${count === 1 ? "entry" : "entries"}`;
}

interface UnreadProps {
  readonly id: string;
  readonly status: number | undefined;
  readonly note: JSX.Element | undefined;
}

/** The run is not read yet, or cannot be. */
function Unread({ id, status, note }: UnreadProps): JSX.Element {
  if (status !== 404)
    return (
      <main class="page" aria-busy={note === undefined}>
        {note ?? <p class="muted">{signedOut.value ? "Sign in to see this run." : "Loading…"}</p>}
      </main>
    );
  return (
    <main class="page empty">
      <h1>There is no run with this id</h1>
      <p class="mono">
        <Text of={id} />
      </p>
      <p>It may be deleted, belong to another tenant, or run in another deployment.</p>
      <p>
        <a class="button" href={runsPath()}>
          Show all runs
        </a>
      </p>
    </main>
  );
}
