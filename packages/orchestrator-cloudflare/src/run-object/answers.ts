/**
 * The readable parts of a run as data for answers.
 *
 * Owns: reading the rows for the record, the journal, the audit and the plan of a resume. It changes nothing.
 */
import {
  AUDIT_PREFIX,
  type AuditRow,
  type ChunkRow,
  JOURNAL_PREFIX,
  type ListOptions,
  type ResumePlan,
  type Reply,
  type RunHeader,
  type RunHost,
  type StoreReader,
  chunkPrefix,
  describeEntry,
  describeLeftOver,
  describeOverview,
  describeResult,
  describeRun,
  factsOf,
  journalKey,
  newerFormatError,
  markNewer,
  markNewerInput,
  planResume,
  publicTokenStanding,
  readInput,
  readJournal,
  readShownInput,
  shownHeader,
  summarizeRun,
  whyOf,
} from "@holdfast/orchestrator";
import {
  type AuditEntry,
  FORMAT_VERSION,
  type JournalEntry,
  type WhyEntry,
  HOST_LIMITS,
  type Limits,
  type RunJournalEntry,
  type RunOverview,
  type RunRecord,
  type RunSummary,
} from "@holdfast/protocol";
import { ApiRefusal } from "../refusal.ts";
import type { CallersView, CommandOf, JournalRequest, ShownRun, TokenAnswer } from "./commands.ts";

/** A run for a caller who may not read it. */
type BriefRun = Pick<RunSummary, "id" | "status">;

interface JournalPage {
  readonly entries: readonly RunJournalEntry[];
  /** `after` of the next page; `null` at the end. */
  readonly nextAfter: number | null;
  /** Only with `order=desc`: `before` of the next page; `null` at the start of the journal. */
  readonly nextBefore?: number | null;
}

export class Answers {
  readonly #host: RunHost;
  readonly #store: StoreReader;
  readonly #recordSteps: number;

  constructor(host: RunHost, store: StoreReader, { recordSteps }: Limits) {
    this.#host = host;
    this.#store = store;
    this.#recordSteps = recordSteps;
  }

  /** @throws ApiRefusal `not_found` */
  header(): RunHeader {
    const header = shownHeader(this.#host.state);
    if (header === undefined) throw new ApiRefusal("not_found", "There is no such run.");
    return header;
  }

  /**
   * Returns the run in the requested view (API7), or the id and the status.
   * @throws ApiRefusal `not_found`
   */
  run({ shows = "record", actions = false }: ShownRun, view: CallersView, now: number): object {
    const header = this.header();
    if (!view.run) return briefOf(header);
    if (shows === "result") return describeResult(header, view);
    const run = shows === "summary" ? this.#overview(view, now) : this.#record(view, now);
    return { ...run, actions: actions ? this.#host.actions() : undefined };
  }

  #overview(view: CallersView, now: number): RunOverview {
    const { state } = this.#host;
    markNewerInput(state, this.header());
    const header = { ...this.header(), updatedAt: state.lastAt };
    const run = describeOverview(header, readShownInput(state, header), view);
    return { ...run, why: this.#why(view, now, 0), leftOver: describeLeftOver(state, view) };
  }

  #record(view: CallersView, now: number): RunRecord {
    const { state } = this.#host;
    const recordSteps = this.#recordSteps;
    // Read twice, so that no more of the journal is in memory than the record shows.
    const journal = (): Iterable<JournalEntry> => this.#each<JournalEntry>(JOURNAL_PREFIX, { limit: recordSteps + 1 });
    markNewer(state, journal());
    markNewerInput(state, this.header());
    const header = this.header();
    const openChunks = (op: string): number => state.openStreams.get(op)?.chunks ?? this.#countChunks(header, op);
    const current = { ...header, updatedAt: state.lastAt };
    const steps = this.#host.stepsInProgress();
    const record = describeRun(current, readShownInput(state, header), journal(), steps, openChunks, recordSteps, view);
    return { ...record, why: this.#why(view, now), leftOver: describeLeftOver(state, view) };
  }

  /**
   * Returns why the run is in its state (WHY1).
   * @throws ApiRefusal `not_found`
   */
  why(view: CallersView, now: number): { readonly why: readonly WhyEntry[] } {
    this.header();
    return { why: view.run ? this.#why(view, now) : [] };
  }

  #why(view: CallersView, now: number, rowsMax?: number): readonly WhyEntry[] {
    return whyOf(factsOf(this.#host.state, now, this.#host.activity(), rowsMax), view);
  }

  /**
   * Returns the record without input, output and steps, or the id and the status.
   * @throws ApiRefusal `not_found`
   */
  summary(view: CallersView): RunSummary | BriefRun {
    const header = this.header();
    return view.run ? summarizeRun(header, view) : briefOf(header);
  }

  /**
   * Returns a page of the journal.
   * @throws ApiRefusal `not_found`
   */
  journal(request: JournalRequest, view: CallersView): JournalPage {
    this.header();
    return request.order === "asc" ? this.#entriesAfter(request, view) : this.#entriesBefore(request, view);
  }

  #entriesAfter({ after, limit }: JournalRequest, view: CallersView): JournalPage {
    const entries: RunJournalEntry[] = [];
    const budget = { chars: HOST_LIMITS.jsonChars, stacks: view.stacks };
    let last = after;
    for (const entry of this.#each<JournalEntry>(JOURNAL_PREFIX, { after: journalKey(after), limit: limit + 1 })) {
      if (entries.length === limit) return { entries, nextAfter: last };
      entries.push(describeEntry(entry, budget, view));
      last = entry.seq;
    }
    return { entries, nextAfter: null };
  }

  /** The numbers of entries have no gaps, so the page is a range of keys, which the store reads forwards. */
  #entriesBefore({ before = Number.MAX_SAFE_INTEGER, limit }: JournalRequest, view: CallersView): JournalPage {
    const [newest] = this.#rows<JournalEntry>(JOURNAL_PREFIX, { reverse: true, limit: 1 });
    const end = Math.min(before, (newest?.seq ?? 0) + 1);
    const start = Math.max(1, end - limit);
    // The platform's storage refuses a limit of 0.
    if (end === start) return { entries: [], nextAfter: null, nextBefore: null };
    const rows = this.#rows<JournalEntry>(JOURNAL_PREFIX, { after: journalKey(start - 1), limit: end - start });
    const budget = { chars: HOST_LIMITS.jsonChars, stacks: view.stacks };
    const entries = rows.toReversed().map((entry) => describeEntry(entry, budget, view));
    return { entries, nextAfter: null, nextBefore: start > 1 ? start : null };
  }

  /**
   * Returns the actions of callers, oldest first.
   * @throws ApiRefusal `not_found`
   */
  audit(): { readonly entries: readonly AuditEntry[] } {
    const { createdAt, triggeredBy, subject } = this.header();
    const entries = this.#rows<AuditRow>(AUDIT_PREFIX).map((row) => describeAction(row, createdAt));
    entries.sort((a, b) => a.at - b.at);
    const trigger = { at: createdAt, action: "trigger", by: subject ?? triggeredBy };
    return { entries: [subject === undefined ? trigger : { ...trigger, onBehalfOf: triggeredBy }, ...entries] };
  }

  /**
   * Returns how a public token stands.
   * @throws ApiRefusal `token_not_found`
   */
  publicToken({ tokenId, incarnation }: CommandOf<"publicToken">, now: number): TokenAnswer {
    const standing = publicTokenStanding(this.#host.state, tokenId, incarnation, now);
    if (standing === undefined) throw new ApiRefusal("token_not_found", "This run never issued that token.");
    if (standing !== "open") return { standing };
    const wait = this.header().waits.find((open) => open.tokenId === tokenId);
    return { standing, ask: wait?.ask, until: wait?.wakeAt };
  }

  /**
   * Returns what a run that is resumed from this one takes over (RES1).
   * @throws ApiRefusal `not_found`, `parent_not_ended`, `unknown_step`, `newer_format`
   */
  plan({ request }: CommandOf<"planResume">, view: CallersView): ResumePlan {
    const header = this.header();
    const { state } = this.#host;
    const journal = readJournal(state);
    markNewerInput(state, header);
    if (state.newer !== undefined) throw new ApiRefusal("newer_format", newerFormatError(state.newer).message);
    const inherited = planResume(header, journal, request);
    if ("type" in inherited) throw refusalOf(inherited, view);
    const { workflowId, workflowVersion, environment, tags, tenantMeta, timeoutMs } = header;
    const input = readInput(state, header);
    return { inherited, workflowId, workflowVersion, input, environment, tags, tenantMeta, timeoutMs };
  }

  /** Returns the number of stored chunks of an open stream, from its newest row. */
  #countChunks(header: RunHeader, op: string): number {
    const place = header.streams.findIndex((stream) => stream.op === op);
    const prefix = chunkPrefix(place, header.streams[place]?.generation ?? 0);
    const [newest] = this.#rows<ChunkRow>(prefix, { reverse: true, limit: 1 });
    return newest === undefined || newest.v > FORMAT_VERSION ? 0 : newest.first + newest.chunks.length;
  }

  #rows<Row>(prefix: string, options?: ListOptions): Row[] {
    return [...this.#each<Row>(prefix, options)];
  }

  *#each<Row>(prefix: string, options: ListOptions = {}): Generator<Row, void> {
    for (const [, row] of this.#store.list(prefix, options)) yield row as Row;
  }
}

/** The message about an unknown step names the known ones. */
function refusalOf({ code, message }: Reply & { type: "refused" }, view: CallersView): ApiRefusal {
  return new ApiRefusal(code, code === "unknown_step" && !view.run ? "The run has no such step." : message);
}

function briefOf({ id, status }: RunHeader): BriefRun {
  return { id, status };
}

/** Returns an action for readers. Of a row in a newer format, it returns the fields whose types this version knows. */
function describeAction({ v, requestKey: _key, ...row }: AuditRow, createdAt: number): AuditEntry {
  if (v <= FORMAT_VERSION) return row;
  const { at, action, by }: Readonly<Record<keyof AuditRow, unknown>> = {
    v,
    requestKey: undefined,
    detail: undefined,
    ...row,
  };
  return {
    at: typeof at === "number" ? at : createdAt,
    action: typeof action === "string" ? action : "unreadable",
    by: typeof by === "string" ? by : "",
    detail: `This version cannot read the details: the row has format ${v}.`,
  };
}
