/**
 * What a request's URL says: ids in the path and parameters in the query (LIM2).
 *
 * Owns: decoding ids, which the router leaves encoded, and the refusals `invalid_id` and `invalid_query`.
 */
import { idProblem } from "@holdfast/protocol";
import * as v from "valibot";
import { ApiRefusal } from "../refusal.ts";

/** Decoded parameters, each with all its values. */
export type QueryValues = Readonly<Record<string, readonly string[]>>;

/** `{ id, tokenId }` for `"/api/runs/:id/tokens/:tokenId"`. */
export type IdsOf<Path extends string> = Readonly<Record<NamesIn<Path>, string>>;

type NamesIn<Path extends string> = Path extends `${string}:${infer Name}/${infer Rest}`
  ? Name | NamesIn<Rest>
  : Path extends `${string}:${infer Name}`
    ? Name
    : never;

/** What messages call the ids. */
const ID_TITLES: Readonly<Record<string, string>> = { tenant: "tenant", id: "run id", tokenId: "token id" };

/**
 * The ids in the path of a URL.
 * @throws ApiRefusal `invalid_id`
 */
export function readIds<Path extends string>(url: string, path: Path): IdsOf<Path> {
  const segments = new URL(url).pathname.split("/");
  const ids = path
    .split("/")
    .map((part, index): readonly [string, string] => [part, segments[index] ?? ""])
    .filter(([part]) => part.startsWith(":"))
    .map(([part, segment]) => [part.slice(1), readId(segment, ID_TITLES[part.slice(1)] ?? part)]);
  // The names are those of the path, which the compiler reads from its text.
  return Object.fromEntries(ids) as IdsOf<Path>;
}

/** A segment that is not properly encoded is refused, not guessed at. */
function readId(segment: string, title: string): string {
  let id: string;
  try {
    id = decodeURIComponent(segment);
  } catch {
    throw new ApiRefusal("invalid_id", `The ${title} in the path is not properly percent-encoded.`);
  }
  const problem = idProblem(id);
  if (problem !== undefined) throw new ApiRefusal("invalid_id", `The ${title} ${problem}.`);
  return id;
}

/**
 * The query as the schema describes it. Of a parameter that may not be repeated the first value counts.
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
  const [issue] = result.issues;
  const field = issue.path?.map(({ key }) => String(key)).join(".") ?? "";
  const message = issue.expected === "never" ? "unknown field" : issue.message;
  throw new ApiRefusal("invalid_query", `The query is not as it should be: ${field}: ${message}.`);
}
