/**
 * The limits of the engine (LIM1).
 *
 * Owns: the numbers that the author's package does not read, and the choice of those that a deployment may set for itself.
 * The unit is the last word of a name. An error message about a limit states the limit's value. Sizes are UTF-16 code units
 * of the encoded value, as stored.
 */
import * as limits from "./author-limits.ts";

/** Limits that the author's package applies, and perhaps others too. No deployment changes them. */
export const LIMITS: typeof limits = limits;

/** Limits that no deployment changes, and that code in the author's package does not read: they stay out of its bundle. */
export const HOST_LIMITS = {
  /** How long a cancelled run with nothing to compensate waits for an executor that runs its clean-up code (CAN2). */
  cleanupWaitMs: 60_000,
  /** Journal entries of clean-up code for which there is room beside `journalEntries` (CAN9). */
  cleanupEntries: 1_000,
  /** Characters of values in one answer of the API. Longer values are cut. */
  jsonChars: 16_777_216,
  /** The body of a turn to a step handler. The first turn of an execution carries the run's journal. */
  turnBytes: 268_435_456,
  /** The same, to a step handler without sessions: each execution's only turn carries the whole journal. */
  statelessTurnBytes: 33_554_432,
  /** How long an upgrade to a connection may take, ms. Then the URL gets turns as requests (PIPE2). */
  connectMs: 3_000,
  /** How long the URL of a step handler that refused an upgrade gets turns as requests, in one isolate (PIPE2). */
  connectAgainMs: 600_000,
  /** After this time without a frame the orchestrator ends a connection, ms (PIPE3). */
  connectionQuietMs: 10_000,
  /** Connections of one isolate to step handlers. Runs beyond get turns as requests (PIPE4). */
  connections: 500,
  /** Connections that one step handler accepts (PIPE4). */
  handlerConnections: 1_000,
  /** One frame. workerd receives 32 MiB at most, and a character has up to three bytes. A longer one is sent as a request. */
  frameChars: 8_388_608,
  /** Connections that end too early for one execution. After these it gets turns as requests (PIPE5). */
  connectionLosses: 3,
  /** How long the numbers of a shard are used again for `/metrics` (OBS3). */
  metricsCacheMs: 15_000,
  /** How long `/metrics` waits for a shard of the index. */
  metricsWaitMs: 5_000,
  /** Workflows that `/metrics` names. The runs of the others are counted as those of `other`. */
  metricsWorkflows: 100,
  /** Tenants, and shards of the index, that one answer of `/metrics` reads. */
  metricsShards: 400,
  /** Tenants whose events a process counts by tenant. */
  countedTenants: 1_000,
  /** How old the numbers are that an isolate sends to the collector at the earliest. */
  countsExportMs: 15_000,
  /** How late a timer counts as late in `holdfast_late_timers_total`. */
  lateTimerMs: 1_000,
  /** Principals whose requests about absent runs one isolate counts. */
  countedPrincipals: 10_000,
  /** While an issuer of tokens fails, the time between two requests for its keys, ms (SEC1). */
  issuerRetryMs: 5_000,
  /** How old the keys of an issuer of tokens may be that serve while it fails, ms (SEC1). */
  issuerKeysMs: 3_600_000,
  /** Keys of public URLs (`URL_KEYS`). */
  urlKeys: 16,
  /** Runs whose newest epoch a step handler remembers (SEC3). */
  handlerEpochs: 10_000,
  /** Nonces of signed requests that a process remembers, and a Worker for each key (SEC3). */
  nonces: 100_000,
  /** A cursor of a run's events: `Last-Event-ID` and `lastEventId` (STR2). */
  cursorChars: 8_192,
  /** How long a ticket is valid (SEC11). */
  ticketMs: 60_000,
  /** A ticket. */
  ticketChars: 4_096,
  /** The path of a ticket: that of the longest id, percent-encoded. */
  ticketPathChars: 1_024,
  /** Tickets that an object remembers until they expire. */
  usedTickets: 10_000,
  /** Entries in one page of `/journal`. */
  journalPage: 1_000,
  /** Runs in one page of a list. */
  listPage: 200,
  /** Reasons of one run that its record lists in `why` (WHY1). */
  whyEntries: 20,
  /** Generations of children that `?why=deep` follows (WHY4). */
  whyLevels: 8,
  /** Children that it reads. */
  whyChildren: 20,
  /** How long it waits for them, ms. */
  whyMs: 2_000,
  /** An ask, as JSON (ASK2). */
  askChars: 131_072,
  /** Levels of nesting of an ask. */
  askDepth: 64,
  /** The title of an ask. */
  askTitleChars: 200,
  /** The details of an ask. */
  askDetailsChars: 16_384,
  /** The JSON Schema of an ask, as JSON. */
  askSchemaChars: 16_384,
  /** Choices of one ask. */
  askChoices: 20,
  /** The label of a choice. */
  askLabelChars: 100,
  /** The value of a choice, as JSON. */
  askValueChars: 1_024,
  /** Assignees of one ask. */
  askAssignees: 50,
  /** One assignee. */
  askAssigneeChars: 128,
  /** Open asks of one run. */
  openAsks: 100,
  /** Open asks of one run that the index lists (ASK5). */
  listedAsks: 20,
  /** Details, schema and choices of an ask in the index, as JSON. What does not fit is in the run's record only. */
  listedAskChars: 4_096,
  /** An ask, as JSON, that the header of its run may have. A larger one is in the row of its wait. */
  headerAskChars: 2_048,
  /** Steps of the check of one answer against its schema (ASK4). */
  answerSteps: 1_000_000,
  /** Problems of an answer that a refusal lists. */
  answerIssues: 20,
  /** Shards of the index that one page of approvals reads: the newest. */
  approvalShards: 400,
  /** Limits of one run (FLOW1). */
  holds: 4,
  /** `priority`: the seconds of head start of a run, or minus as many (L4). */
  prioritySeconds: 86_400,
  /** `max` of a limit, and its override (FLOW1). */
  limitMax: 100_000,
  /** Runs that wait at one limit and key: `maxQueued`, and without it (GATE3). Also the starts that a rate has reserved. */
  limitQueued: 1_000_000,
  /** `limit` and `burst` of a rate. */
  limitRate: 1_000_000_000,
  /** `max` of a batch (FLOW1). */
  batchInputs: 10_000,
  /** Delivery ids that one window of debounce or batch remembers (WIN3). */
  windowDeliveryIds: 100_000,
  /** The inputs of one batch, as JSON. */
  batchBytes: 1_048_576,
  /** The first time after which a run that waits for a limit asks again (L3). */
  askHoldMsMin: 30_000,
  /** The longest time after which it asks again. */
  askHoldMsMax: 300_000,
  /** Runs that one request may act on. */
  bulkRuns: 100,
  /** Parents that join one run by its idempotency key, beside its creator (RUN2). */
  followers: 1_000,
  /** Entries of `resumedBy` in a run's record. */
  resumedBy: 1_000,
  /** Steps in each of the lists `undone` and `inFlight` of a run's record (CAN8). */
  remains: 1_000,
  /** Deliveries that the record of an ended run lists in `leftOver` (WAIT12). */
  leftOver: 100,
  /** The first delay before a message, or a row for the index, is sent again without acknowledgement (CHILD4). */
  resendMsMin: 5_000,
  /** The factor by which that delay grows with each repetition. */
  resendFactor: 2,
  /** The longest delay before a message is sent again. */
  resendMsMax: 60_000,
  /** The longest delay before a row for the index is sent again. */
  indexResendMsMax: 300_000,
  /** How long a holding is not confirmed before the gate of its limit asks the run, and the delay before it asks again (L2). */
  probeMsMin: 60_000,
  /** The delay of the next question after the first answer that a run holds. It doubles with each answer. */
  probeMsFirst: 300_000,
  /** The longest delay between two questions. */
  probeMsMax: 3_600_000,
  /** How long a batch remembers delivery ids (WIN3). */
  deliveryMemoryMs: 86_400_000,
  /** The newest commands with a key that a limit, window, schedule or event knows (API10). */
  actRows: 64,
  /** How long one that nobody uses any more still knows them. */
  actKeptMs: 600_000,
  /** Holders, and runs of the queue, that the record of a limit lists. */
  limitRows: 100,
  /** Limits in one page of their list. */
  limitPage: 50,
  /** The first interval of the watchdog, which detects a lost execution (DUR5). It grows while the execution is live. */
  watchdogMsMin: 5_000,
  /** The interval of the alarms of a deployment that is held (DUR12). */
  heldAlarmMs: 60_000,
  /** The longest interval of the watchdog (DUR5). */
  watchdogMsMax: 30_000,
  /** Conditions of one filter of events, and fields of one input map (EVT2). */
  eventWhereNodes: 64,
  /** Levels of nesting of one of them. */
  eventWhereDepth: 8,
  /** Values of one `in` or `nin`. */
  eventWhereList: 1_000,
  /** Text that a filter compares. */
  eventOperandChars: 4_096,
  /** A path into an event. */
  eventPathChars: 512,
  /** Triggers of one workflow, and of `cancelOn`. */
  eventTriggers: 100,
  /** The encoded data of one event. */
  eventDataChars: 1_048_576,
  /** How long a target that cannot be reached is tried again (EVT3): one day. */
  eventTargetMs: 86_400_000,
  /** How long the id of an event is known (EVT1): thirty days. */
  eventKeptMs: 2_592_000_000,
  /** Triggers of one event whose mismatch is stored. */
  eventUnmatched: 100,
  /** The newest events of a tenant that are listed. */
  eventsListed: 1_000,
  /** Events in one page of their list. */
  eventPage: 50,
  /** Targets in the record of one event after a replay (EVT11). */
  eventTargets: 1_000,
  /** Replays of one event that are stored. */
  eventReplays: 100,
  /** How long a topic stores an event, unless its declaration says otherwise (EVT4): one day. */
  topicKeepMs: 86_400_000,
  /** The longest `keep` of an event: thirty days. */
  topicKeepMsMax: 2_592_000_000,
  /** Events that one topic stores. */
  topicEvents: 1_000,
  /** Encoded data of the events that one topic stores. */
  topicChars: 16_777_216,
  /** Ids of events without data that one topic remembers, to recognise a repeated message. */
  topicIds: 10_000,
  /** Events, and runs that wait, in the record of a topic. */
  topicRows: 100,
  /** Runs that wait at one topic (EVT10). */
  topicSubscribers: 10_000,
  /** Deliveries of one topic in flight. */
  topicDeliveries: 50,
  /** How long a topic waits before it asks a subscriber whether it still waits (EVT7): seven days. */
  topicProbeMs: 604_800_000,
  /** How long a topic without subscribers and events is stored: thirty days. */
  topicIdleMs: 2_592_000_000,
  /** Topics of one run: keys whose events it has waited for. */
  runTopics: 100,
  /** Schedules of one tenant (SCH1). */
  schedules: 1_000,
  /** Patterns of one schedule. */
  schedulePatterns: 20,
  /** One pattern. */
  schedulePatternChars: 256,
  /** Dates in each of `at` and `skip` of a schedule. */
  scheduleDates: 1_000,
  /** The encoded input of a schedule. */
  scheduleInputChars: 131_072,
  /** Ticks of one schedule that wait for the run of an earlier tick (SCH6). */
  scheduleQueue: 100,
  /** Missed ticks that `catchUp: "all"` starts (SCH7). */
  scheduleCaughtUp: 100,
  /** The time between two of them. */
  scheduleCaughtUpMs: 1_000,
  /** How old the newest missed tick is at most that `catchUp: "latest"` starts. */
  scheduleLatestMs: 86_400_000,
  /** How late a tick may be that is not missed, with `catchUp: "none"`. */
  scheduleLateMs: 60_000,
  /** Ticks that one wake decides one by one. Those after them get one row together (SCH5). */
  scheduleDecided: 2_000,
  /** Starts of one schedule that no run has acknowledged, with which it may be triggered by hand. */
  scheduleStarts: 1_000,
  /** Decisions of one schedule that are stored: the newest. Also the largest `pauseAfter`. */
  scheduleTicks: 2_000,
  /** Ticks of one backfill (SCH10). */
  backfillTicks: 10_000,
  /** Ticks of it that one answer of the schedule's object computes. */
  backfillPlanTicks: 250,
  /** Runs that a backfill starts in a minute, at most. */
  backfillRate: 600,
  /** How long a schedule is stored after its declaration is gone from the code (SCH9): thirty days. */
  orphanMs: 2_592_000_000,
  /** How late the alarm of a schedule may be before its tenant's list wakes it (SCH11). */
  schedulePokeMs: 120_000,
  /** The interval between two pings of an execution in another process (DUR11). */
  pingMs: 15_000,
  /** How long such an execution may give no sign of life. Then it counts as lost (DUR11). */
  silentMsMax: 40_000,
} as const;

/** Limits that only the orchestrator reads. A deployment may set others (`limitsFrom`). */
export const DEFAULT_LIMITS = {
  /** A JSON request body (LIM2). */
  requestBytes: 1_048_576,
  /** The body of an answer to a public token (SEC8). */
  publicTokenBytes: 65_536,
  /** How long the body of a request may take to arrive. */
  bodyMs: 30_000,
  /** Requests of one principal about runs that do not exist, in an hour and in one isolate (SEC8). */
  notFoundPerHour: 1_000,
  /** Encoded `tenantMeta` of one run. */
  tenantMetaChars: 16_384,
  /** Buffered deliveries of one run (WAIT9). */
  inboxDeliveries: 1_000,
  /** Encoded payloads of the buffered deliveries of one run (WAIT9). */
  inboxChars: 16_777_216,
  /** Stored delivery ids of one run (WAIT3). */
  deliveryIds: 100_000,
  /** Open waits of one run. */
  openWaits: 1_000,
  /** Open waits in the header of a run. Each further one has a row of its own. */
  headerWaits: 16,
  /** Streams in the header of a run. Each further one has a row of its own. */
  headerStreams: 16,
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
  /** Attached children of one run that have not ended. */
  openChildren: 1_000,
  /** Pending messages of one run to other runs. */
  outboxMessages: 10_000,
  /** Rows of a run's audit. Only the newest are stored (SEC2). */
  auditRows: 1_000,
  /** Readers that follow one run concurrently (STR2). */
  streamReaders: 256,
  /** Spans of one run's trace. */
  traceSpans: 1_000,
  /** `seedResults` of one resume. */
  seedResults: 1_000,
  /** Executions lost in a row without progress after which the run is paused (DUR7). */
  executorCrashes: 10,
  /** Executions in a row without progress that give no sign of life during one body. Then the run is paused (DUR11). */
  silentExecutions: 4,
  /** Executions that may be replaced in a row because requests reach another instance of the step handler (DUR11). */
  misroutedExecutions: 3,
  /** How long dispatch is retried before the run is paused (DUR8): six hours. */
  dispatchRetryMs: 21_600_000,
} as const;

export type LimitName = keyof typeof DEFAULT_LIMITS;

/** The limits of one deployment. */
export type Limits = Readonly<Record<LimitName, number>>;
