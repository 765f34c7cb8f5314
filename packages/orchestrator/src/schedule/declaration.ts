/**
 * The check of a schedule that an author or a caller declares (SCH1).
 *
 * Owns: the fields, their defaults, and the message for each invalid one. It names the field.
 */
import {
  HOST_LIMITS,
  LIMITS,
  defined,
  encodeValue,
  invalid,
  nameProblem,
  parseDurationMs,
  parseTimeMs,
} from "@holdfast/protocol";
import type { CatchUp, Overlap, ScheduleConfig, Spread } from "./config.ts";
import type { PreviewConfig } from "./describe.ts";
import { cronProblem } from "./times/cron.ts";
import { type TimesSpec, nextTime } from "./times/next-time.ts";
import { isTimeZone } from "./times/zone.ts";

type Fields = Readonly<Record<string, unknown>>;

const FIELDS = new Set(
  (
    "id description workflow version input tags cron seconds every anchor at tz from until skip spread overlap queueMax " +
    "catchUp onFailures"
  ).split(" "),
);

/** Ids are parts of ids of runs and of URLs. */
const ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/**
 * Checks a declaration.
 * @param where Names the declaration in messages.
 * @throws HoldfastError `INVALID_ARGUMENT`
 */
export function readDeclaration(given: unknown, where: string): ScheduleConfig {
  const fields = fieldsOf(given, where);
  const id = readId(fields["id"], `${where}.id`);
  return { id, ...readFields(fields, `${where}(${JSON.stringify(id)})`, readWorkflow) };
}

/**
 * Checks a declaration of which a preview needs the times alone: the id and the workflow may be absent.
 * @throws HoldfastError `INVALID_ARGUMENT`
 */
export function readPreview(given: unknown, where: string): PreviewConfig {
  const fields = fieldsOf(given, where);
  const id = optional(fields["id"], (value) => readId(value, `${where}.id`));
  const { times, spread } = readFields(fields, where, (value, at) =>
    value === undefined ? "" : readWorkflow(value, at),
  );
  return { times, ...defined({ id, spread }) };
}

function readId(id: unknown, at: string): string {
  if (typeof id === "string" && ID.test(id)) return id;
  throw invalid(
    at,
    "must be 1 to 100 letters, digits, dots, hyphens or underscores, and begin with a letter or a digit.",
  );
}

function readFields(
  fields: Fields,
  at: string,
  workflow: (value: unknown, at: string) => string,
): Omit<ScheduleConfig, "id"> {
  const unknown = Object.keys(fields).find((name) => !FIELDS.has(name));
  if (unknown !== undefined)
    throw invalid(`${at}.${unknown}`, `is no field of a schedule. The fields are: ${[...FIELDS].join(", ")}.`);
  const version = optional(fields["version"], (value) => readName(value, `${at}.version`));
  return {
    ...defined({ description: optional(fields["description"], (value) => readName(value, `${at}.description`)) }),
    workflowId: workflow(fields["workflow"], `${at}.workflow`),
    ...defined({ workflowVersion: version }),
    input: readInput(fields["input"], `${at}.input`),
    tags: readTags(fields["tags"], `${at}.tags`),
    times: readTimes(fields, at),
    ...defined({ spread: optional(fields["spread"], (value) => readSpread(value, `${at}.spread`)) }),
    overlap: oneOf<Overlap>(fields["overlap"], ["skip", "queue", "replace", "allow"], `${at}.overlap`),
    queueMax: readQueueMax(fields, `${at}.queueMax`),
    catchUp: oneOf<CatchUp>(fields["catchUp"], ["latest", "all", "none"], `${at}.catchUp`),
    ...defined({ pauseAfter: optional(fields["onFailures"], (value) => readOnFailures(value, `${at}.onFailures`)) }),
  };
}

function fieldsOf(given: unknown, where: string): Fields {
  if (typeof given !== "object" || given === null || Array.isArray(given)) throw invalid(where, "must be an object.");
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

function readTimes(fields: Fields, at: string): TimesSpec {
  const tz = fields["tz"] ?? "UTC";
  if (typeof tz !== "string" || !isTimeZone(tz)) {
    throw invalid(`${at}.tz`, `${shown(tz)} is no time zone. Give a name such as "Europe/Berlin", or "UTC".`);
  }
  const cron = readCron(fields, `${at}.cron`);
  const every = optional(fields["every"], (value) => readEvery(value, `${at}.every`));
  const dates = optional(fields["at"], (value) => readDates(value, `${at}.at`));
  if (cron === undefined && every === undefined && dates === undefined) {
    throw invalid(at, "needs a time: cron, every or at.");
  }
  const spec: TimesSpec = {
    ...defined({ cron, every, at: dates }),
    ...(fields["seconds"] === true ? { seconds: true } : {}),
    tz,
    ...defined({
      anchor: optional(fields["anchor"], (value) => readInstant(value, `${at}.anchor`)),
      from: optional(fields["from"], (value) => readInstant(value, `${at}.from`)),
      until: optional(fields["until"], (value) => readInstant(value, `${at}.until`)),
      skip: optional(fields["skip"], (value) => readSkip(value, `${at}.skip`)),
    }),
  };
  if (nextTime(spec, -1) === undefined) {
    throw invalid(at, "never fires: no time matches within from, until and skip. Change one of them, or the pattern.");
  }
  return spec;
}

function readCron({ cron, seconds }: Fields, at: string): readonly string[] | undefined {
  if (cron === undefined) return undefined;
  const patterns: readonly unknown[] = Array.isArray(cron) ? cron : [cron];
  if (patterns.length === 0 || patterns.length > HOST_LIMITS.schedulePatterns) {
    throw invalid(at, `must be a pattern, or a list of 1 to ${HOST_LIMITS.schedulePatterns} patterns.`);
  }
  return patterns.map((pattern, nth) => {
    const where = Array.isArray(cron) ? `${at}[${nth}]` : at;
    if (typeof pattern !== "string") throw invalid(where, 'must be text, such as "0 7 * * MON-FRI".');
    if (pattern.length > HOST_LIMITS.schedulePatternChars) {
      throw invalid(where, `has ${pattern.length} characters; the limit is ${HOST_LIMITS.schedulePatternChars}.`);
    }
    const problem = cronProblem(pattern, seconds === true);
    if (problem !== undefined) throw invalid(where, `${shown(pattern)} ${problem}`);
    if (nextTime({ cron: [pattern], tz: "UTC" }, 0) === undefined) {
      throw invalid(
        where,
        `${shown(pattern)} matches no date, such as the 30th of February. Change the day or the month.`,
      );
    }
    return pattern.trim();
  });
}

function readEvery(value: unknown, at: string): number {
  const ms = parseDurationMs(value, at);
  if (ms < 1_000) throw invalid(at, `${shown(value)} is shorter than a second, the shortest interval.`);
  return ms;
}

function readDates(value: unknown, at: string): readonly number[] {
  const dates: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (dates.length === 0 || dates.length > HOST_LIMITS.scheduleDates) {
    throw invalid(at, `must be a date, or a list of 1 to ${HOST_LIMITS.scheduleDates} dates.`);
  }
  const times = dates.map((date, nth) => readInstant(date, `${at}[${nth}]`));
  return [...new Set(times)].toSorted((a, b) => a - b);
}

/** A local time without an offset would depend on the zone of the host. */
function readInstant(value: unknown, at: string): number {
  if (typeof value === "string" && !/T.*(Z|[+-]\d\d:\d\d)$/.test(value)) {
    throw invalid(
      at,
      `${shown(value)} has no offset. Give a time with one, such as "2027-01-31T09:00:00Z" or "2027-01-31T09:00:00+01:00".`,
    );
  }
  return parseTimeMs(value, at);
}

function readSkip(value: unknown, at: string): readonly (string | number)[] {
  const dates: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (dates.length > HOST_LIMITS.scheduleDates) {
    throw invalid(at, `has ${dates.length} dates; the limit is ${HOST_LIMITS.scheduleDates}.`);
  }
  return dates.map((date, nth) => {
    const where = `${at}[${nth}]`;
    if (typeof date === "string" && /^\d{4}-\d{2}-\d{2}$/.test(date)) {
      parseTimeMs(date, where);
      return date;
    }
    return readInstant(date, where);
  });
}

function readSpread(value: unknown, at: string): Spread {
  const percent = typeof value === "string" ? /^(\d{1,3})%$/.exec(value)?.[1] : undefined;
  if (percent === undefined) return { ms: parseDurationMs(value, at) };
  if (Number(percent) > 100) throw invalid(at, `${shown(value)} is more than 100%, the time to the next tick.`);
  return { share: Number(percent) / 100 };
}

function readQueueMax({ queueMax = 1, overlap }: Fields, at: string): number {
  const max = HOST_LIMITS.scheduleQueue;
  if (typeof queueMax !== "number" || !Number.isInteger(queueMax) || queueMax < 1 || queueMax > max) {
    throw invalid(at, `must be a whole number from 1 to ${max}.`);
  }
  if (queueMax > 1 && overlap !== "queue") throw invalid(at, 'needs overlap: "queue".');
  return queueMax;
}

function readOnFailures(value: unknown, at: string): number | undefined {
  const { pauseAfter, ...rest } = fieldsOf(value, at);
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) throw invalid(`${at}.${unknown}`, "is no field of onFailures. It has pauseAfter.");
  if (pauseAfter === undefined) return undefined;
  const max = HOST_LIMITS.scheduleTicks;
  const isCount = typeof pauseAfter === "number" && Number.isInteger(pauseAfter);
  if (isCount && pauseAfter >= 1 && pauseAfter <= max) return pauseAfter;
  throw invalid(`${at}.pauseAfter`, `must be a whole number from 1 to ${max}: the number of failed runs in a row.`);
}

/** A workflow's id, or its definition. */
function readWorkflow(value: unknown, at: string): string {
  const id: unknown = typeof value === "object" && value !== null && "id" in value ? value.id : value;
  if (value === undefined) throw invalid(at, "is missing. Give the workflow, or its id.");
  return readName(id, at);
}

function readInput(value: unknown, at: string): string {
  const input = encodeValue(value, at);
  const max = HOST_LIMITS.scheduleInputChars;
  if (input.length <= max) return input;
  throw invalid(at, `takes ${input.length} characters; the limit is ${max}. Pass a reference to the data instead.`);
}

function readTags(value: unknown, at: string): readonly string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value) || value.length > LIMITS.tags) {
    throw invalid(at, `must be a list of at most ${LIMITS.tags} names.`);
  }
  return value.map((tag: unknown, nth) => readName(tag, `${at}[${nth}]`));
}

function readName(value: unknown, at: string): string {
  const problem = nameProblem(value);
  if (problem !== undefined || typeof value !== "string") throw invalid(at, `${problem ?? "must be a string"}.`);
  return value;
}

function oneOf<T extends string>(value: unknown, all: readonly [T, ...T[]], at: string): T {
  if (value === undefined) return all[0];
  const found = all.find((one) => one === value);
  if (found === undefined)
    throw invalid(at, `${shown(value)} must be ${all.map((one) => JSON.stringify(one)).join(", ")}.`);
  return found;
}

function optional<T>(value: unknown, read: (value: unknown) => T): T | undefined {
  return value === undefined ? undefined : read(value);
}

function shown(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value.slice(0, 100)) : String(value);
}
