/**
 * What callers may send, as schemas: nothing else reaches a run (LIM2, RUN7).
 */
import { HoldfastError, LIMITS, RUN_STATUSES, idProblem, nameProblem, parseDurationMs } from "@holdfast/protocol";
import * as v from "valibot";

/** A name (RUN8), or an id, which may hold no control characters either. */
const name = checkedText(nameProblem, "A name: 1 to 256 bytes of UTF-8.");
const id = checkedText(idProblem, "An id: 1 to 256 bytes of UTF-8 without control characters, not . or ..");

const durationMs = v.pipe(
  v.union([v.string(), v.number()]),
  v.description('Milliseconds, or a whole number with a unit: "500ms", "30s", "5m", "2h", "7d", "1w".'),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    try {
      return parseDurationMs(dataset.value, "duration");
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
      addIssue({ message: error.message.replace(/^duration: /, "") });
      return NEVER;
    }
  }),
);

/** An object as it came: `v.record` would drop keys such as `constructor`. */
const plainObject = v.custom<Record<string, unknown>>(
  (value) => typeof value === "object" && value !== null && !Array.isArray(value),
  "must be an object",
);

const tags = v.pipe(v.array(name), v.maxLength(LIMITS.tags, `at most ${LIMITS.tags} tags`));

export const triggerBody = v.strictObject({
  workflowId: name,
  workflowVersion: v.optional(name),
  input: v.optional(v.unknown()),
  tenantMeta: v.optional(plainObject),
  runId: v.optional(id),
  idempotencyKey: v.optional(id),
  tags: v.optional(tags, []),
  delay: v.optional(durationMs),
  timeout: v.optional(durationMs),
  environment: v.optional(name),
});

const stepReference = v.union([
  name,
  v.strictObject({ name, occurrence: v.pipe(v.number(), v.integer(), v.minValue(0)) }),
]);

export const resumeBody = v.strictObject({
  input: v.optional(v.unknown()),
  workflowId: v.optional(name),
  resumeFromStep: v.optional(stepReference),
  seedResults: v.optional(
    v.pipe(
      plainObject,
      v.check(
        (results) => Object.keys(results).every((step) => nameProblem(step) === undefined),
        "must have step names as keys",
      ),
    ),
  ),
  runId: v.optional(id),
  tags: v.optional(tags),
  triggeredByUserId: v.optional(id),
});

export const eventBody = v.strictObject({
  eventType: name,
  payload: v.optional(v.unknown()),
  deliveryId: v.optional(id),
});

export const signalBody = v.strictObject({ name, payload: v.optional(v.unknown()), deliveryId: v.optional(id) });

export const tokenBody = v.strictObject({ payload: v.optional(v.unknown()) });

/** Nothing, or an empty object. */
export const noBody = v.strictObject({});

export const cancelBody = v.strictObject({
  reason: v.optional(v.pipe(v.string(), v.maxLength(LIMITS.errorMessageChars))),
});

const status = v.picklist(RUN_STATUSES, `must be one of ${RUN_STATUSES.join(", ")}`);

const filterTags = v.pipe(v.array(name), v.maxLength(10, "at most 10 tags"));

const timeMs = wholeNumber(0, 8_640_000_000_000_000);

export const listQuery = v.strictObject({
  workflowId: v.optional(name),
  status: v.optional(status),
  tag: v.optional(filterTags),
  createdAfter: v.optional(timeMs),
  createdBefore: v.optional(timeMs),
  parentRunId: v.optional(id),
  order: v.optional(v.picklist(["asc", "desc"], "must be asc or desc"), "desc"),
  limit: v.optional(wholeNumber(1, LIMITS.listPage), "50"),
  cursor: v.optional(v.string()),
});

const bulkIds = v.pipe(
  v.array(id),
  v.minLength(1, "at least one"),
  v.maxLength(LIMITS.bulkRuns, `at most ${LIMITS.bulkRuns}`),
);

const bulkFilter = v.strictObject({
  workflowId: v.optional(name),
  status: v.optional(status),
  tag: v.optional(filterTags),
  createdAfter: v.optional(v.pipe(v.number(), v.integer())),
  createdBefore: v.optional(v.pipe(v.number(), v.integer())),
  parentRunId: v.optional(id),
});

export const bulkBody = v.pipe(
  v.strictObject({
    action: v.picklist(["cancel", "retry"], "must be cancel or retry"),
    reason: v.optional(v.pipe(v.string(), v.maxLength(LIMITS.errorMessageChars))),
    ids: v.optional(bulkIds),
    filter: v.optional(bulkFilter),
    cursor: v.optional(v.string()),
  }),
  v.check(({ ids, filter }) => (ids === undefined) !== (filter === undefined), "needs either ids or a filter"),
);

const objectId = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, "must be 64 hexadecimal digits"));

export const rebuildBody = v.strictObject({
  runIds: v.optional(v.pipe(v.array(id), v.maxLength(LIMITS.bulkRuns, `at most ${LIMITS.bulkRuns}`))),
  objectIds: v.optional(v.pipe(v.array(objectId), v.maxLength(LIMITS.bulkRuns, `at most ${LIMITS.bulkRuns}`))),
});

export const streamQuery = v.strictObject({
  from: v.optional(v.picklist(["start", "now"], "must be start or now"), "start"),
  lastEventId: v.optional(v.string()),
});

export const journalQuery = v.strictObject({
  after: v.optional(wholeNumber(0, Number.MAX_SAFE_INTEGER), "0"),
  limit: v.optional(wholeNumber(1, LIMITS.journalPage), String(LIMITS.journalPage)),
});

function wholeNumber(min: number, max: number): v.GenericSchema<string, number> {
  const message = `must be a whole number from ${min} to ${max}`;
  return v.pipe(
    v.string(),
    v.regex(/^\d{1,16}$/, message),
    v.transform(Number),
    v.minValue(min, message),
    v.maxValue(max, message),
  );
}

function checkedText(
  problemOf: (value: unknown) => string | undefined,
  description: string,
): v.GenericSchema<string, string> {
  return v.pipe(
    v.string(),
    v.rawCheck(({ dataset, addIssue }) => {
      const problem = dataset.typed ? problemOf(dataset.value) : undefined;
      if (problem !== undefined) addIssue({ message: problem });
    }),
    v.description(description),
  );
}
