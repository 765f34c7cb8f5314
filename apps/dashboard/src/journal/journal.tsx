/**
 * The journal of a run, entry by entry, in the order in which it was written.
 *
 * Owns: the filter, and the entry that is open. It gets the entries that are loaded, and reports the operation of an entry
 * that the reader opens.
 *
 * Invariants
 * - JN1 Only the entries of the viewport, and a few around it, are in the DOM (T5).
 */
import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import type { JournalEntry } from "@holdfast/workflows/client";
import type { JSX } from "preact";
import { operationId } from "../timeline/entries.ts";
import { windowOf } from "../timeline/row-window.ts";
import { type AnchoredRows, useAnchor } from "../ui/anchor.ts";
import { Unloaded } from "../ui/unloaded.tsx";
import { absoluteText } from "../ui/time-format.ts";
import { visible } from "../ui/text.tsx";
import { Tree } from "../ui/tree.tsx";

export interface JournalProps {
  readonly entries: readonly JournalEntry[];
  readonly onSelect: (op: string) => void;
  /** How many earlier entries are not loaded yet. */
  readonly notLoaded?: number | undefined;
  readonly isLoading?: boolean | undefined;
  readonly onLoadMore?: (() => void) | undefined;
}

const ROW_PX = 28;
const HEIGHT_PX = 560;

export function Journal({ entries, onSelect, ...unloaded }: JournalProps): JSX.Element {
  const text = useSignal("");
  const open = useSignal<number | undefined>(undefined);
  const found = filterEntries(entries, text.value);
  const chosen = entries.find(({ seq }) => seq === open.value);
  const choose = (entry: JournalEntry): void => {
    open.value = entry.seq;
    onSelect(operationId(entry.operation));
  };
  return (
    <div class="journal">
      <p class="journal-bar">
        <input
          type="search"
          aria-label="Filter the entries by type or operation"
          placeholder="type or operation"
          value={text.value}
          onInput={(event) => (text.value = event.currentTarget.value)}
        />
        <span role="status">
          {found.length.toLocaleString("en")} of {entries.length.toLocaleString("en")} entries
        </span>
      </p>
      <Unloaded {...unloaded} />
      <Entries found={found} open={open.value} onOpen={choose} {...unloaded} />
      {chosen === undefined ? null : (
        <section class="journal-entry" aria-label={`Entry ${chosen.seq}`}>
          <Tree value={chosen} />
        </section>
      )}
    </div>
  );
}

/** Each word of the text is in the type or in the operation. */
function filterEntries(entries: readonly JournalEntry[], text: string): readonly JournalEntry[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return entries;
  return entries.filter(({ type, operation }) => {
    const line = `${type} ${operation.kind} ${operation.name}`.toLowerCase();
    return words.every((word) => line.includes(word));
  });
}

function anchorOf(found: readonly JournalEntry[], opensAtEnd: boolean): AnchoredRows<JournalEntry> {
  const firstSeq = found[0]?.seq ?? 0;
  // Entries of the journal are numbered without gaps; those of a filter are not.
  const indexOf = (entry: JournalEntry): number =>
    found[entry.seq - firstSeq] === entry ? entry.seq - firstSeq : found.indexOf(entry);
  return { count: found.length, rowPx: ROW_PX, keyAt: (index) => found[index], indexOf, opensAtEnd };
}

interface EntriesProps extends Pick<JournalProps, "notLoaded" | "isLoading" | "onLoadMore"> {
  readonly found: readonly JournalEntry[];
  readonly open: number | undefined;
  readonly onOpen: (entry: JournalEntry) => void;
}

function Entries({ found, open, onOpen, notLoaded = 0, isLoading, onLoadMore }: EntriesProps): JSX.Element {
  const scrollTop = useSignal(0);
  const scroll = useRef<HTMLDivElement>(null);
  useAnchor(scroll, anchorOf(found, notLoaded > 0));
  const onScroll = (top: number): void => {
    const isUp = top < scrollTop.value;
    scrollTop.value = top;
    if (isUp && top < 8 * ROW_PX && notLoaded > 0 && isLoading !== true) onLoadMore?.();
  };
  const { from, to } = windowOf(scrollTop.value, HEIGHT_PX, ROW_PX, found.length);
  return (
    <div
      class="journal-scroll"
      tabIndex={0}
      role="region"
      aria-label="Entries"
      ref={scroll}
      onScroll={(event) => onScroll(event.currentTarget.scrollTop)}
    >
      <ol style={{ height: `${found.length * ROW_PX}px` }}>
        {found.slice(from, to).map((entry, index) => (
          <li
            key={entry.seq}
            style={{ top: `${(from + index) * ROW_PX}px` }}
            aria-setsize={found.length}
            aria-posinset={from + index + 1}
          >
            <button type="button" aria-pressed={entry.seq === open} onClick={() => onOpen(entry)}>
              <span class="journal-seq">{entry.seq}</span>
              <time title={absoluteText(entry.at)}>{absoluteText(entry.at).slice(0, 23)}</time>
              <b>{visible(entry.type)}</b>
              <bdi>{visible(`${entry.operation.kind} ${entry.operation.name}`)}</bdi>
            </button>
          </li>
        ))}
      </ol>
    </div>
  );
}
