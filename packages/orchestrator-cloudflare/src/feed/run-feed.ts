/**
 * The changes of a run as a sequence of events (STR2).
 *
 * Owns: the order of events, and the cursor after each event. Events are read from the run's rows when a reader is ready
 * for them, so no events are buffered, for any number of readers at any speed. A reader that reconnects with the cursor
 * of its last event misses no event.
 */
import {
  CHUNK_PREFIX,
  type ChunkRow,
  JOURNAL_PREFIX,
  type RunHeader,
  type StoreReader,
  type StreamState,
  type View,
  chunkKey,
  chunkPrefix,
  describeEntry,
  journalKey,
  summarizeRun,
} from "@holdfast/orchestrator";
import {
  FORMAT_VERSION,
  type JournalEntry,
  type JsonBudget,
  HOST_LIMITS,
  type RunEvent,
  type StepInProgress,
  hashText,
  isKnownEntry,
  isOutcome,
  isTerminal,
  parseOperationId,
  showValue,
} from "@holdfast/protocol";
import { EVENT_CURSOR } from "./event-cursor.ts";

export interface FeedEvent {
  readonly type: RunEvent["type"];
  /** The position after this event. */
  readonly cursor: string;
  readonly data: RunEvent["data"];
}

/** The position of a reader in one stream: the row of chunks, and the number of chunks of that row already read. */
interface StreamPlace {
  readonly generation: number;
  readonly row: number;
  readonly seen: number;
}

/** Rows of one kind per read. */
const ROWS_PER_READ = 50;
/** Ended streams per read. */
const STREAMS_PER_READ = 50;

/** What readers of a run see. */
export interface FeedSource {
  readonly store: StoreReader;
  readonly header: () => RunHeader | undefined;
  /** The step bodies that execute now. */
  readonly inProgress: () => readonly StepInProgress[];
  /** Removes the ids of tokens from a text (SEC7). */
  readonly hide: (text: string) => string;
}

/** What a reader has received beside the rows before its cursor, as hashes. */
export interface SentState {
  /** The last event of type `run`. */
  readonly told?: number | undefined;
  /** The last event of type `progress`. */
  readonly progress?: number | undefined;
}

export class RunFeed {
  readonly #store: StoreReader;
  readonly #inProgress: FeedSource["inProgress"];
  readonly #hide: FeedSource["hide"];
  readonly #view: View;
  #seq = 0;
  /** Characters of values that the events of this read may still have. The event that exceeds them is its last one. */
  #room = 0;
  /** The streams before this one have ended, and the reader has all their chunks. */
  #firstStream = 0;
  readonly #streams = new Map<number, StreamPlace>();
  /** Hashes of the last events of these types. */
  #sentRun: number | undefined;
  #sentProgress: number | undefined;

  /**
   * `cursor` `undefined` or invalid: from the start, because duplicates are better than gaps. `sent`: the `place` of an
   * earlier feed of the reader.
   */
  constructor({ store, inProgress, hide }: FeedSource, cursor: string | undefined, view: View, sent: SentState = {}) {
    this.#hide = hide;
    this.#view = { ...view, stacks: false };
    this.#store = store;
    this.#inProgress = inProgress;
    this.#sentRun = sent.told;
    this.#sentProgress = sent.progress;
    if (cursor === undefined || !EVENT_CURSOR.test(cursor)) return;
    const [before = "0", ...streams] = cursor.split("~");
    const [seq, first = 0] = before.split("-").map(Number);
    this.#seq = seq ?? 0;
    this.#firstStream = first;
    for (const text of streams) {
      const [place = 0, generation = 0, row = 0, seen = 0] = text.split(".").map(Number);
      this.#streams.set(place, { generation, row, seen });
    }
  }

  /** `told` is the name of the field in the stored state of sockets. */
  get place(): SentState & { readonly cursor: string } {
    return { cursor: this.#position(), told: this.#sentRun, progress: this.#sentProgress };
  }

  /** Moves to the newest event. */
  skip(header: RunHeader): void {
    for (const [, row] of this.#store.list(JOURNAL_PREFIX, { reverse: true, limit: 1 }))
      this.#seq = (row as JournalEntry).seq;
    for (const [place, { generation, chunks: count }] of header.streams.entries()) {
      if (count !== undefined) this.#streams.set(place, { generation, row: count, seen: 0 });
      else
        for (const [, row] of this.#store.list(chunkPrefix(place, generation), { reverse: true, limit: 1 })) {
          const { first, chunks } = row as ChunkRow;
          this.#streams.set(place, { generation, row: first + chunks.length, seen: 0 });
        }
    }
    this.#passStreams(header);
  }

  /** Forgets the places in the first streams that have ended and are read: a cursor does not grow with their number. */
  #passStreams({ streams }: RunHeader): void {
    for (let stream = streams[this.#firstStream]; stream !== undefined; stream = streams[this.#firstStream]) {
      if (!this.#isRead(this.#firstStream, stream)) return;
      this.#streams.delete(this.#firstStream);
      this.#firstStream += 1;
    }
  }

  /** Whether a stream has ended, and the reader has all its chunks. */
  #isRead(place: number, { generation, chunks }: StreamState): boolean {
    const known = this.#streams.get(place);
    if (chunks === 0) return true;
    return known?.generation === generation && known.row === chunks;
  }

  /** Returns new events, oldest first. `over`: the run has ended, and all its events were returned. */
  read(header: RunHeader): { readonly events: readonly FeedEvent[]; readonly over: boolean } {
    const { events, over } = this.#read(header);
    if (this.#view.tokenIds || events.length === 0) return { events, over };
    return { events: JSON.parse(this.#hide(JSON.stringify(events))) as FeedEvent[], over };
  }

  #read(header: RunHeader): { readonly events: readonly FeedEvent[]; readonly over: boolean } {
    const events: FeedEvent[] = [];
    this.#room = HOST_LIMITS.jsonChars;
    // The end of the run is its last event.
    if (!isTerminal(header.status)) this.#addRun(header, events);
    this.#readJournal(events);
    this.#readStreams(header, events);
    if (!isTerminal(header.status)) this.#addProgress(events);
    if (events.some(({ type }) => type !== "run")) return { events, over: false };
    this.#addRun(header, events);
    return { events, over: isTerminal(header.status) };
  }

  #addRun(header: RunHeader, events: FeedEvent[]): void {
    const data = summarizeRun(header, this.#view);
    const hash = hashText(JSON.stringify(data));
    if (hash === this.#sentRun) return;
    this.#sentRun = hash;
    events.push({ type: "run", cursor: this.#cursor(), data });
  }

  /** Progress has no row: its event contains the newest values, and leaves the cursor where it is. */
  #addProgress(events: FeedEvent[]): void {
    const budget = { chars: HOST_LIMITS.jsonChars };
    const steps = this.#inProgress().flatMap(({ op, progress, ...attempt }) => {
      if (progress === undefined) return [];
      const { name, occurrence } = parseOperationId(op);
      return [{ name, occurrence, ...attempt, progress: showValue(progress, budget) }];
    });
    const hash = hashText(JSON.stringify(steps));
    if (steps.length === 0 || hash === this.#sentProgress) return;
    this.#sentProgress = hash;
    events.push({ type: "progress", cursor: this.#cursor(), data: { steps } });
  }

  /** Reads the next entries that are events. Those of streams are none, and there may be many. */
  #readJournal(events: FeedEvent[]): void {
    const known = events.length;
    for (let before = -1; before < this.#seq && events.length === known;) {
      before = this.#seq;
      this.#readEntries(events);
    }
  }

  #readEntries(events: FeedEvent[]): void {
    const options = { after: journalKey(this.#seq), limit: ROWS_PER_READ };
    for (const [, row] of this.#store.list(JOURNAL_PREFIX, options)) {
      const entry = row as JournalEntry;
      this.#seq = entry.seq;
      const event = this.#shown((budget) => eventOf(entry, this.#view, budget));
      if (event !== undefined) events.push({ ...event, cursor: this.#cursor() });
      if (this.#room <= 0) return;
    }
  }

  /** Shows the values of one event, which may be as large as an answer. */
  #shown<T>(show: (budget: JsonBudget) => T): T {
    const budget = { chars: HOST_LIMITS.jsonChars };
    const shown = show(budget);
    this.#room -= HOST_LIMITS.jsonChars - budget.chars;
    return shown;
  }

  #readStreams(header: RunHeader, events: FeedEvent[]): void {
    const first = this.#firstStream;
    let left = STREAMS_PER_READ;
    for (const [at, stream] of header.streams.slice(first).entries()) {
      if (this.#isRead(first + at, stream)) continue;
      if (stream.chunks !== undefined && left-- === 0) return;
      if (this.#room <= 0) return;
      this.#readChunks(stream, first + at, events);
      this.#passStreams(header);
    }
  }

  #readChunks({ op, generation }: StreamState, place: number, events: FeedEvent[]): void {
    const known = this.#streams.get(place);
    const at = known?.generation === generation ? known : { generation, row: 0, seen: 0 };
    const before = at.row === 0 ? {} : { after: chunkKey(place, generation, at.row - 1) };
    const rows = this.#store.list(chunkPrefix(place, generation), { ...before, limit: ROWS_PER_READ });
    let { seen } = at;
    for (const [key, stored] of rows) {
      const { v, first, chunks } = stored as ChunkRow;
      // Newer code wrote chunks in another form; the run's own event says so.
      if (!key.startsWith(CHUNK_PREFIX) || v > FORMAT_VERSION) break;
      for (const [nth, chunk] of chunks.entries()) {
        if (nth < seen) continue;
        const last = nth === chunks.length - 1;
        this.#streams.set(
          place,
          last ? { generation, row: first + chunks.length, seen: 0 } : { generation, row: first, seen: nth + 1 },
        );
        const value = this.#shown((budget) => showValue(chunk, budget));
        const data = { stream: parseOperationId(op).name, generation, index: first + nth, value };
        events.push({ type: "chunk", cursor: this.#cursor(), data });
        if (this.#room <= 0) return;
      }
      seen = 0;
    }
  }

  /** The cursor of an event. A reader with so many open streams that it is too long gets their chunks again when it reconnects. */
  #cursor(): string {
    const position = this.#position();
    return position.length > HOST_LIMITS.cursorChars ? (position.split("~", 1)[0] ?? "") : position;
  }

  #position(): string {
    const streams = [...this.#streams].map(
      ([place, { generation, row, seen }]) => `~${place}.${generation}.${row}.${seen}`,
    );
    return String(this.#seq) + (this.#firstStream === 0 ? "" : `-${this.#firstStream}`) + streams.join("");
  }
}

function eventOf(entry: JournalEntry, view: View, budget: JsonBudget): Omit<FeedEvent, "cursor"> | undefined {
  // Newer code wrote this entry. The event of the run reports that.
  if (!isKnownEntry(entry)) return undefined;
  const { kind, name, occurrence } = parseOperationId(entry.op);
  const data = { name, occurrence, ...describeEntry(entry, budget, view) };
  switch (kind) {
    case "step":
    case "compensation":
      return { type: "step", data: { ...data, status: statusOf(entry), compensation: kind === "compensation" } };
    case "metadata":
      return { type: "metadata", data };
    case "stream":
    case "unwind":
      // The event of the run reports streams and unwinding.
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
