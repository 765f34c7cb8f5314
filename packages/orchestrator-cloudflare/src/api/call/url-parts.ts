/**
 * The parts of a request's URL: ids in the path and parameters in the query (LIM2).
 *
 * Owns: the decoding of ids, which the router leaves encoded, and the refusals `invalid_id` and `invalid_query`.
 */
import { keyProblem } from "@holdfast/orchestrator";
import { fromSegment, idProblem } from "@holdfast/protocol";
import * as v from "valibot";
import { ApiRefusal } from "../../refusal.ts";
import { type QueryValues, pathOf } from "./match.ts";

/** `{ id, tokenId }` for `"/api/runs/:id/tokens/:tokenId"`. */
export type IdsOf<Path extends string> = Readonly<Record<NamesIn<Path>, string>>;

type NamesIn<Path extends string> = Path extends `${string}:${infer Name}/${infer Rest}`
  ? Name | NamesIn<Rest>
  : Path extends `${string}:${infer Name}`
    ? Name
    : never;

/** The names of ids in messages. */
const ID_TITLES: Readonly<Record<string, string>> = {
  tenant: "tenant",
  id: "run id",
  incarnation: "incarnation",
  mac: "MAC",
  tokenId: "token id",
  name: "name of the limit",
  key: "key",
  workflowId: "workflow id",
  source: "source of the webhook",
};

/** What `:id` names, by the first part of the path after `/api`. */
const ID_OWNERS: Readonly<Record<string, string>> = { events: "event id", schedules: "schedule id" };

/**
 * Returns the ids in the path of a URL.
 * @throws ApiRefusal `invalid_id`
 */
export function readIds<Path extends string>(url: string, path: Path): IdsOf<Path> {
  // As the router reads it: `new URL` would remove the segments "." and "..", so that another id has their place.
  const segments = path.includes(":") ? pathOf(url).split("/") : [];
  const ids = path
    .split("/")
    .map((part, index): readonly [string, string] => [part, segments[index] ?? ""])
    .filter(([part]) => part.startsWith(":"))
    .map(([part, segment]) => [part.slice(1), readId(segment, part.slice(1), titleOf(path, part.slice(1)))]);
  // The compiler derives the same names from the text of the path.
  return Object.fromEntries(ids) as IdsOf<Path>;
}

function titleOf(path: string, name: string): string {
  if (path.startsWith("/api/topics/")) return `${name} of the event`;
  const owner = name === "id" ? ID_OWNERS[path.split("/")[2] ?? ""] : undefined;
  return owner ?? ID_TITLES[name] ?? `:${name}`;
}

/**
 * What may be any name or key that the engine accepts, and what is wrong with one. An API that takes keys checks them: those
 * of limits and windows are hashed if they are long.
 */
const KEYED = new Map<string, (text: string) => string | undefined>([
  ["name", keyProblem],
  ["workflowId", keyProblem],
  ["key", (text) => (text.isWellFormed() ? undefined : "must be well-formed Unicode")],
]);

/** Decodes and checks one segment. A segment with an invalid encoding is rejected. */
function readId(segment: string, name: string, title: string): string {
  let id: string;
  try {
    id = decodeURIComponent(segment);
  } catch {
    throw new ApiRefusal("invalid_id", `The ${title} in the path has an invalid percent-encoding.`);
  }
  const text = KEYED.has(name) ? fromSegment(id) : id;
  const problem = KEYED.has(name) ? KEYED.get(name)?.(text) : idProblem(text);
  if (problem !== undefined) throw new ApiRefusal("invalid_id", `The ${title} ${problem}.`);
  return text;
}

/**
 * Returns the query as the schema describes it. The first value counts for a parameter that is not repeatable.
 * @throws ApiRefusal `invalid_query`
 */
export function readQuery<S extends v.GenericSchema>(
  queries: QueryValues,
  schema: S,
  repeatable: readonly string[],
): v.InferOutput<S> {
  const given = Object.entries(queries).map(([key, values]) => [key, repeatable.includes(key) ? values : values[0]]);
  const result = v.safeParse(schema, Object.fromEntries(given));
  if (result.success) return result.output;
  const issues = result.issues.map((issue) => ({
    path: issue.path?.map(({ key }) => String(key)).join(".") ?? "",
    message: issue.expected === "never" ? "unknown field" : issue.message,
  }));
  const [first] = issues;
  throw new ApiRefusal("invalid_query", `The query is invalid: ${first?.path}: ${first?.message}.`, { issues });
}
