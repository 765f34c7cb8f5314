/**
 * Every limit of the engine, in one place (LIM1).
 *
 * Owns: the numbers and their units (last in the name), and which of them a deployment may set for itself. A refusal
 * because of a limit names the limit and its value in the message. Sizes are counted in UTF-16 code units of the encoded
 * value, which is what is stored.
 */

/** Limits that bind both sides, or recorded runs. No deployment changes them. */
export const LIMITS = {
  /** Workflow, step, signal, event and tag names, run ids, delivery ids, token ids and idempotency keys (RUN8). */
  nameBytes: 256,
  /** One encoded value: a step's result, a run's input or output, a delivery's payload (STEP5). */
  valueChars: 10_485_760,
  /** Levels of nesting of one value: what every runtime's stack can read back. */
  valueDepth: 500,
  /** What one answer of the API shows of values, in characters; what goes beyond is cut. */
  jsonChars: 16_777_216,
  /** Tags of one run. */
  tags: 64,
  /** Operations that a run may have asked for and not yet been answered at one time. */
  openOperations: 10_000,
  /** A turn to a step handler: with the journal of a run that it takes over. */
  turnBytes: 268_435_456,
  /** Error messages are cut to this length when they are journaled. */
  errorMessageChars: 4_096,
  /** `retry.max` of a step. */
  stepAttempts: 1_000,
  /** The longest duration that is accepted: ten years. */
  durationMs: 315_360_000_000,
  /** Entries in one page of `/journal`. */
  journalPage: 1_000,
  /** Encoded metadata of one run (META1). */
  metadataChars: 65_536,
  /** One encoded chunk of a stream. */
  chunkChars: 262_144,
  /** Runs in one page of a list. */
  listPage: 200,
  /** Runs that one request may act on. */
  bulkRuns: 100,
  /** Resumed runs that a parent lists. */
  resumedBy: 1_000,
  /** How long an acknowledgement is awaited, at first: then a message, or a row for the index, is sent again (CHILD4). */
  resendMsMin: 5_000,
  /** By how much that grows each time that nothing is acknowledged. */
  resendFactor: 2,
  /** How long an acknowledgement of a message is awaited at most. */
  resendMsMax: 60_000,
  /** How long an acknowledgement of the index is awaited at most. */
  indexResendMsMax: 300_000,
  /** How soon a lost execution is noticed, at first (DUR5). It doubles while the execution lives. */
  watchdogMsMin: 5_000,
  /** How soon a lost execution is noticed, at the latest (DUR5). */
  watchdogMsMax: 30_000,
  /** How long a failing or finished run waits for step bodies that are still executing (STEP6). */
  siblingGraceMs: 5_000,
} as const;

/** Limits that the orchestrator alone reads, where a deployment sets none (`limitsFrom`). */
export const DEFAULT_LIMITS = {
  /** A JSON request body (LIM2). */
  requestBytes: 1_048_576,
  /** Encoded `tenantMeta` of one run. */
  tenantMetaChars: 16_384,
  /** Deliveries kept for waits to come, per run (WAIT9). */
  inboxDeliveries: 1_000,
  /** Encoded payloads kept for waits to come, per run (WAIT9). */
  inboxChars: 16_777_216,
  /** Remembered delivery ids per run (WAIT3). */
  deliveryIds: 100_000,
  /** Waits that a run may have open at one time. */
  openWaits: 1_000,
  /** Journal entries of one run. */
  journalEntries: 100_000,
  /** How long a `Prefer: wait` may hold its answer. */
  preferWaitMs: 60_000,
  /** Steps listed in a run's record; `/journal` has the rest. */
  recordSteps: 1_000,
  /** Chunks of one stream (STR1). */
  streamChunks: 1_000_000,
  /** All chunks of one stream, in characters. */
  streamChars: 1_073_741_824,
  /** Attached children that a run may have at one time. */
  openChildren: 1_000,
  /** Messages to other runs that are not acknowledged yet. */
  outboxMessages: 10_000,
  /** Actions of callers that a run's audit keeps, the newest (SEC2). */
  auditRows: 1_000,
  /** Readers that follow one run at a time (STR2). */
  streamReaders: 256,
  /** Spans of one run's trace. */
  traceSpans: 1_000,
  /** `seedResults` of one resume. */
  seedResults: 1_000,
  /** Executions that may die in a row without a new journal entry before the run is paused (DUR7). */
  executorCrashes: 10,
  /** How long dispatch is tried again before the run is paused (DUR8): six hours. */
  dispatchRetryMs: 21_600_000,
} as const;

export type LimitName = keyof typeof DEFAULT_LIMITS;

/** The limits of one deployment. */
export type Limits = Readonly<Record<LimitName, number>>;
