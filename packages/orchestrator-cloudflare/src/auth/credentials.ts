/**
 * Lists of credentials: their format as JSON, and the schema of the fields that every credential has (SEC1, RUN7).
 *
 * Owns: the messages for invalid lists. A message names a field and the position of the entry, and never quotes a value or
 * a name that is far from every field, because either may be secret.
 */
import { HoldfastError, idProblem } from "@holdfast/protocol";
import * as v from "valibot";
import { type OptionsSchema, nearest, problemOf } from "../options.ts";
import { SCOPES, type Scope } from "./principal.ts";

/** The shortest accepted token, in characters. */
export const TOKEN_CHARS_MIN = 16;

export const isId = v.custom<string>((value) => idProblem(value) === undefined, "must be a valid id");

/** The names under which the engine itself acts in `triggeredBy`, the audit and the log. */
const ENGINES_NAMES: ReadonlySet<string> = new Set([
  "api",
  "engine",
  "holdfast",
  "nobody",
  "parent",
  "public token",
  "retention",
]);

/** Describes what is wrong with the name of a caller. It must not look like a name of the engine's own. */
export function subjectProblem(value: unknown): string | undefined {
  const problem = idProblem(value);
  if (problem !== undefined) return "must be a valid id";
  const visible = String(value)
    .normalize("NFKC")
    .replaceAll(/\p{Cf}/gu, "");
  const plain = visible.replaceAll(/\s+/g, " ").trim().toLowerCase();
  const isReserved = ENGINES_NAMES.has(plain) || plain.startsWith("holdfast:");
  return isReserved ? "must not be a name that the engine uses for itself" : undefined;
}

export const isSubject = v.custom<string>(
  (value) => subjectProblem(value) === undefined,
  ({ input }) => subjectProblem(input) ?? "",
);

const isScope = v.custom<Scope>(
  (value) => SCOPES.some((scope) => scope === value),
  `must be one of ${SCOPES.join(", ")}`,
);

export const isScopes = v.array(isScope, `must be a list of ${SCOPES.join(", ")}`);

export const isTenantMeta = v.custom<Readonly<Record<string, unknown>>>(
  (value) => typeof value === "object" && value !== null && !Array.isArray(value),
  "must be an object",
);

/**
 * Returns the entries of a list that is given as it is, or as JSON. In plain workerd, a variable that is not set is null.
 * @throws HoldfastError `INVALID_ARGUMENT`
 */
export function listOf<T>(given: string | readonly T[] | null | undefined, where: string): readonly T[] {
  if (given === undefined || given === null || given === "") return [];
  const list: unknown = typeof given === "string" ? parseJson(given, where) : given;
  return Array.isArray(list) ? (list as T[]) : refuse(`${where}: must be a list.`);
}

function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The text is secret, so the message does not quote it.
    return refuse(`${where}: is not valid JSON.`);
  }
}

/** @throws HoldfastError `INVALID_ARGUMENT` */
export function checkEntry(schema: OptionsSchema, entry: unknown, where: string): void {
  const known = Object.keys(schema.entries);
  const isObject = typeof entry === "object" && entry !== null && !Array.isArray(entry);
  const stranger = isObject ? Object.keys(entry).find((key) => !known.includes(key)) : undefined;
  if (stranger !== undefined && nearest(stranger, known) === undefined)
    refuse(`${where}: has an unknown field. The fields are ${known.join(", ")}.`);
  const problem = problemOf(schema, entry, where);
  if (problem !== undefined) refuse(problem);
}

export function refuse(message: string): never {
  throw new HoldfastError("INVALID_ARGUMENT", message);
}
