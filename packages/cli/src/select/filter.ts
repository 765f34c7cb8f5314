/**
 * The grammar of filters: `status:failed workflow:order tag:vip created:>1d` (CLI6).
 *
 * Owns: its keys, and their translation to the API's filter. Every key narrows the selection; a value with spaces is
 * quoted, as in `workflow:"my flow"`.
 */
import { RUN_STATUSES, type RunFilter } from "@holdfast/workflows/client";
import { UsageError } from "../exit.ts";
import { momentOf } from "./moments.ts";

const FILTER_KEYS: Readonly<Record<string, string>> = {
  status: `${RUN_STATUSES.slice(0, 6).join(", ")},\n${RUN_STATUSES.slice(6).join(", ")}`,
  workflow: "the id of a workflow",
  tag: "a tag; several mean all of them",
  created: ">1d (in the last day), <1d (before that), >2026-01-31,\n<2026-01-31T12:00Z",
  parent: "the id of the parent run",
};

type Filter = { -readonly [Key in keyof RunFilter]: RunFilter[Key] };

/** Splits a filter at its spaces. Quotes group, and a backslash takes the next character literally. */
export function splitFilter(text: string): readonly string[] {
  const terms = text.match(/(?:[^\s"\\]|\\[\s\S]|"(?:[^"\\]|\\[\s\S])*")+|["\\]/g) ?? [];
  return terms.map((term) => {
    if (/^["\\]$/.test(term)) throw new UsageError(`The filter ${JSON.stringify(text)} has a quote that does not end.`);
    return term.replaceAll(/\\([\s\S])|"/g, "$1");
  });
}

/**
 * @param terms Terms of the grammar, one in each text
 * @throws UsageError listing the known keys
 */
export function parseFilter(terms: readonly string[], now: number): RunFilter {
  const filter: Filter = {};
  const tags: string[] = [];
  for (const term of terms) {
    const [, key = "", value = ""] = /^([A-Za-z]+):([\s\S]*)$/.exec(term) ?? [];
    if (!Object.hasOwn(FILTER_KEYS, key)) throw unknownTerm(term, key);
    if (value === "")
      throw new UsageError(`The filter ${key}: needs a value: ${FILTER_KEYS[key]?.replace("\n", " ")}.`);
    if (key === "tag") tags.push(value);
    else if (key === "created") addCreated(filter, value, now);
    else add(filter, key, value);
  }
  return tags.length === 0 ? filter : { ...filter, tag: tags };
}

function unknownTerm(term: string, key: string): UsageError {
  const what = key === "" ? `${JSON.stringify(term)} is not a filter` : `There is no filter ${JSON.stringify(key)}`;
  return new UsageError(`${what}. A filter is key:value. The keys are:\n${filterKeys()}`);
}

/** The keys with their meanings, for help and errors. */
export function filterKeys(): string {
  return Object.entries(FILTER_KEYS)
    .map(([name, meaning]) => `  ${`${name}:`.padEnd(10)}${meaning.replace("\n", `\n${" ".repeat(12)}`)}`)
    .join("\n");
}

function add(filter: Filter, key: string, value: string): void {
  const field = key === "workflow" ? "workflowId" : key === "parent" ? "parentRunId" : "status";
  if (filter[field] !== undefined) throw new UsageError(`The filter ${key}: may be given once.`);
  if (field !== "status") filter[field] = value;
  else {
    const status = RUN_STATUSES.find((one) => one === value);
    if (status === undefined)
      throw new UsageError(
        `There is no status ${JSON.stringify(value)}. The statuses are: ${RUN_STATUSES.join(", ")}.`,
      );
    filter.status = status;
  }
}

function addCreated(filter: Filter, value: string, now: number): void {
  const [, sign, text = ""] = /^(>=?|<=?)([\s\S]+)$/.exec(value) ?? [];
  const at = momentOf(text, now);
  if (sign === undefined || at === undefined)
    throw new UsageError(`created:${value} is not a time. Write ${FILTER_KEYS["created"]?.replace("\n", " ")}.`);
  // The API's lower bound is inclusive, its upper bound exclusive.
  if (sign.startsWith(">")) filter.createdAfter = Math.max(filter.createdAfter ?? 0, sign === ">" ? at + 1 : at);
  else filter.createdBefore = Math.min(filter.createdBefore ?? Infinity, sign === "<" ? at : at + 1);
}
