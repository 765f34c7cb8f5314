/**
 * The grammar of the search box, which is that of the command: `status:failed workflow:order tag:vip created:>1d`.
 *
 * Owns: its keys, and their translation to the filter of the API. A text without a key is the id of a run. docs/reference/cli.md
 * describes the grammar.
 */
import { RUN_STATUSES, type RunFilter } from "@holdfast/workflows/client";

const FILTER_KEYS = ["status", "workflow", "tag", "created", "parent"] as const;

export type Search =
  | { readonly kind: "filter"; readonly filter: RunFilter }
  | { readonly kind: "id"; readonly id: string }
  | { readonly kind: "invalid"; readonly problem: string };

type Filter = { -readonly [Key in keyof RunFilter]: RunFilter[Key] };

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

export function parseSearch(text: string, now: number): Search {
  const terms = splitTerms(text);
  if (terms === undefined) return invalid("A quote does not end.");
  const isFilter = terms.every((term) => FILTER_KEYS.some((key) => term.startsWith(`${key}:`)));
  if (!isFilter && !text.trim().includes(" ")) return { kind: "id", id: text.trim() };
  const filter: Filter = {};
  const tags: string[] = [];
  for (const term of terms) {
    const problem = addTerm(filter, tags, term, now);
    if (problem !== undefined) return invalid(problem);
  }
  return { kind: "filter", filter: tags.length === 0 ? filter : { ...filter, tag: tags } };
}

/** Returns the terms of a search; `undefined` if a quote does not end. */
function splitTerms(text: string): readonly string[] | undefined {
  const terms = text.match(/(?:[^\s"\\]|\\[\s\S]|"(?:[^"\\]|\\[\s\S])*")+|["\\]/g) ?? [];
  if (terms.some((term) => term === '"' || term === "\\")) return undefined;
  return terms.map((term) => term.replaceAll(/\\([\s\S])|"/g, "$1"));
}

/** Sets the status in a search text, or removes it. */
export function withStatus(text: string, status: string | undefined): string {
  const others = text.replaceAll(/(?:^|\s)status:\S*/g, "").trim();
  return [status === undefined ? "" : `status:${status}`, others].filter((part) => part !== "").join(" ");
}

function addTerm(filter: Filter, tags: string[], term: string, now: number): string | undefined {
  const [, key = "", value = ""] = /^([A-Za-z]+):([\s\S]*)$/.exec(term) ?? [];
  if (!FILTER_KEYS.some((one) => one === key))
    return `${JSON.stringify(term)} is no filter. The keys are: ${FILTER_KEYS.join(", ")}.`;
  if (value === "") return `${key}: needs a value.`;
  if (key === "tag") tags.push(value);
  else if (key === "workflow") filter.workflowId = value;
  else if (key === "parent") filter.parentRunId = value;
  else if (key === "status") {
    const status = RUN_STATUSES.find((one) => one === value);
    if (status === undefined)
      return `There is no status ${JSON.stringify(value)}. The statuses are: ${RUN_STATUSES.join(", ")}.`;
    filter.status = status;
  } else return addCreated(filter, value, now);
  return undefined;
}

function addCreated(filter: Filter, value: string, now: number): string | undefined {
  const [, sign, text = ""] = /^(>=?|<=?)([\s\S]+)$/.exec(value) ?? [];
  const at = momentOf(text, now);
  if (sign === undefined || at === undefined)
    return `created:${value} is not a time. Write created:>1d for the last day, created:<1d for before, or created:>2026-01-31.`;
  if (sign.startsWith(">")) filter.createdAfter = sign === ">" ? at + 1 : at;
  else filter.createdBefore = sign === "<" ? at : at + 1;
  return undefined;
}

/** A duration stands for the moment that long ago; a date without a time for its start in UTC. */
function momentOf(text: string, now: number): number | undefined {
  const [, amount, unit = ""] = /^(\d+(?:\.\d+)?)(ms|[smhdw])$/.exec(text) ?? [];
  if (amount !== undefined) return Math.max(0, Math.round(now - Number(amount) * (UNITS[unit] ?? 0)));
  if (!/^\d{4}-\d\d-\d\d(?:T|$)/.test(text)) return undefined;
  const at = Date.parse(/^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?$/.test(text) ? `${text}Z` : text);
  return Number.isNaN(at) || at < 0 ? undefined : at;
}

function invalid(problem: string): Search {
  return { kind: "invalid", problem };
}
