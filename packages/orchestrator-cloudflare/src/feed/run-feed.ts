/**
 * What happens to a run, as events to follow (STR2).
 *
 * Owns: the order of events, and the cursor behind each. Everything is read from the run's rows when a reader wants it:
 * nothing is kept for readers, however many there are and however slow. A reader that comes back with the cursor of the
 * last event that it has seen misses nothing.
 */
import {
  CHUNK_PREFIX,
  type ChunkRow,
  JOURNAL_PREFIX,
  type RunHeader,
  type StoreReader,
  chunkKey,
  chunkPrefix,
  describeEntry,
  journalKey,
  summarizeRun,
} from "@holdfast/orchestrator";
import {
  type JournalEntry,
  LIMITS,
  type RunEvent,
  hashText,
  isKnownEntry,
  isOutcome,
  isTerminal,
  parseOperationId,
  showValue,
} from "@holdfast/protocol";

export interface FeedEvent {
  readonly type: RunEvent["type"];
  /** Behind this event. */
  readonly cursor: string;
  readonly data: RunEvent["data"];
}

/** How far a reader is in one stream: in which row of its chunks, and how many of that row it has seen. */
interface StreamPlace {
  readonly generation: number;
  readonly row: number;
  readonly seen: number;
}

/** Rows of a kind that are read at a time. */
const ROWS_AT_A_TIME = 50;

const PATTERN = /^\d{1,10}(~\d{1,6}\.\d{1,10}\.\d{1,10}\.\d{1,10})*$/;

export class RunFeed {
  readonly #store: StoreReader;
  #seq = 0;
  readonly #streams = new Map<number, StreamPlace>();
  #told: number | undefined;

  /**
   * `told`: what an earlier feed of the same reader had told of the run. `cursor` `undefined`: from the start. Whatever is no cursor counts as that too: too much is
   * better than too little.
   */
  constructor(store: StoreReader, cursor: string | undefined, told?: number) {
    this.#store = store;
    this.#told = told;
    if (cursor === undefined || !PATTERN.test(cursor)) return;
    const [seq = "0", ...streams] = cursor.split("~");
    this.#seq = Number(seq);
    for (const text of streams) {
      const [place = 0, generation = 0, row = 0, seen = 0] = text.split(".").map(Number);
      this.#streams.set(place, { generation, row, seen });
    }
  }

  get place(): { readonly cursor: string; readonly told: number | undefined } {
    return { cursor: this.#cursor(), told: this.#told };
  }

  /** Goes to where the run stands now. */
  skip(header: RunHeader): void {
    for (const [, row] of this.#store.list(JOURNAL_PREFIX, { reverse: true, limit: 1 }))
      this.#seq = (row as JournalEntry).seq;
    for (const [place, { generation }] of header.streams.entries()) {
      for (const [, row] of this.#store.list(chunkPrefix(place, generation), { reverse: true, limit: 1 })) {
        const { first, chunks } = row as ChunkRow;
        this.#streams.set(place, { generation, row: first + chunks.length, seen: 0 });
      }
    }
  }

  /** What is new, oldest first; empty if there is nothing. `over`: the run has ended, and all of it was told. */
  read(header: RunHeader): { readonly events: readonly FeedEvent[]; readonly over: boolean } {
    const events: FeedEvent[] = [];
    // A run that has ended says so last.
    if (!isTerminal(header.status)) this.#tellRun(header, events);
    this.#readJournal(events);
    for (const place of header.streams.keys()) this.#readChunks(header, place, events);
    if (events.some(({ type }) => type !== "run")) return { events, over: false };
    this.#tellRun(header, events);
    return { events, over: isTerminal(header.status) };
  }

  #tellRun(header: RunHeader, events: FeedEvent[]): void {
    const data = summarizeRun(header);
    const told = hashText(JSON.stringify(data));
    if (told === this.#told) return;
    this.#told = told;
    events.push({ type: "run", cursor: this.#cursor(), data });
  }

  #readJournal(events: FeedEvent[]): void {
    const options = { after: journalKey(this.#seq), limit: ROWS_AT_A_TIME };
    for (const [, row] of this.#store.list(JOURNAL_PREFIX, options)) {
      const entry = row as JournalEntry;
      this.#seq = entry.seq;
      const event = eventOf(entry);
      if (event !== undefined) events.push({ ...event, cursor: this.#cursor() });
    }
  }

  #readChunks(header: RunHeader, place: number, events: FeedEvent[]): void {
    const { op, generation } = header.streams[place] as RunHeader["streams"][number];
    const known = this.#streams.get(place);
    const at = known?.generation === generation ? known : { generation, row: 0, seen: 0 };
    const before = at.row === 0 ? {} : { after: chunkKey(place, generation, at.row - 1) };
    const rows = this.#store.list(chunkPrefix(place, generation), { ...before, limit: ROWS_AT_A_TIME });
    let { seen } = at;
    for (const [key, stored] of rows) {
      if (!key.startsWith(CHUNK_PREFIX)) break;
      const { first, chunks } = stored as ChunkRow;
      for (const [nth, chunk] of chunks.entries()) {
        if (nth < seen) continue;
        const last = nth === chunks.length - 1;
        this.#streams.set(
          place,
          last ? { generation, row: first + chunks.length, seen: 0 } : { generation, row: first, seen: nth + 1 },
        );
        const budget = { chars: LIMITS.jsonChars };
        const value = showValue(chunk, budget);
        const data = { stream: parseOperationId(op).name, generation, index: first + nth, value };
        events.push({ type: "chunk", cursor: this.#cursor(), data });
      }
      seen = 0;
    }
  }

  #cursor(): string {
    const streams = [...this.#streams].map(
      ([place, { generation, row, seen }]) => `~${place}.${generation}.${row}.${seen}`,
    );
    return String(this.#seq) + streams.join("");
  }
}

function eventOf(entry: JournalEntry): Omit<FeedEvent, "cursor"> | undefined {
  // Newer code wrote it; the run's own event says so.
  if (!isKnownEntry(entry)) return undefined;
  const { kind, name, occurrence } = parseOperationId(entry.op);
  const data = { name, occurrence, ...describeEntry(entry, { chars: LIMITS.jsonChars }) };
  switch (kind) {
    case "step":
    case "compensation":
      return { type: "step", data: { ...data, status: statusOf(entry), compensation: kind === "compensation" } };
    case "metadata":
      return { type: "metadata", data };
    case "stream":
    case "unwind":
      // The run's own event tells of it.
      return undefined;
    default:
      return { type: "waitpoint", data: { ...data, status: isOutcome(entry) ? "ended" : "open" } };
  }
}

function statusOf({ type }: JournalEntry): string {
  switch (type) {
    case "step.retrying":
      return "retrying";
    case "step.completed":
      return "completed";
    case "step.failed":
      return "failed";
    default:
      return "running";
  }
}
