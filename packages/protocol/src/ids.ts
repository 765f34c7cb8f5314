/**
 * Names and ids: their validation, and the ids of operations.
 *
 * Owns: the rule for names (RUN8) and the form of operation ids (REP3): kind, occurrence and name, as in
 * `step/0/charge`. The name is the last part, so it may contain any character, slashes included.
 */
import * as LIMITS from "./author-limits.ts";

/** The kinds of operations that workflow code requests. */
export type OperationKind =
  | "step"
  | "sleep"
  | "event"
  | "signal"
  | "token"
  /** A child run; the name is the workflow's id. */
  | "run"
  /** The compensation of the step with the same name and occurrence. */
  | "compensation"
  /** The change of the run to the phase `compensating`. A run has at most one. */
  | "unwind"
  /** A change to the run's metadata. */
  | "metadata"
  /** A stream of chunks. */
  | "stream"
  /** An event that the run sends; the name is the event's (EVT13). */
  | "send";

/** `kind/occurrence/name`. Unique in a run; the same in every replay. */
export type OperationId = string;

export interface Operation {
  readonly kind: OperationKind;
  /** 0 for the first operation of this kind and name in the run, 1 for the second, … */
  readonly occurrence: number;
  readonly name: string;
}

export function operationId(kind: OperationKind, occurrence: number, name: string): OperationId {
  return `${kind}/${occurrence}/${name}`;
}

/** The one operation of kind `unwind` (COMP1). */
export const UNWIND: OperationId = "unwind/0/run";

/** Splits an operation id into its parts. The id must be a result of `operationId`. */
export function parseOperationId(id: OperationId): Operation {
  const first = id.indexOf("/");
  const second = id.indexOf("/", first + 1);
  return {
    // A cast: the first part is the kind that `operationId` got.
    kind: id.slice(0, first) as OperationKind,
    occurrence: Number(id.slice(first + 1, second)),
    name: id.slice(second + 1),
  };
}

const LABELS: Readonly<Partial<Record<OperationKind, string>>> = {
  run: "child run of",
  compensation: "compensation of step",
  send: "sending of event",
};

/** Describes an operation for messages: `step "charge"`, or `step "charge" (use no. 2)` for its second occurrence. */
export function describeOperation(id: OperationId): string {
  const { kind, occurrence, name } = parseOperationId(id);
  if (kind === "unwind") return "the unwinding of the run";
  const what = LABELS[kind] ?? kind;
  const label = kind === "sleep" ? "sleep" : `${what} ${JSON.stringify(name)}`;
  return occurrence === 0 ? label : `${label} (use no. ${occurrence + 1})`;
}

/** Returns why a value is not a valid name: a non-empty string of at most 256 bytes. `undefined`: it is valid (RUN8). */
export function nameProblem(value: unknown): string | undefined {
  if (typeof value !== "string") return "must be a string";
  if (value.length === 0) return "must not be empty";
  if (value.length > LIMITS.nameBytes || utf8Bytes(value) > LIMITS.nameBytes) {
    return `must not be longer than ${LIMITS.nameBytes} bytes`;
  }
  if (!value.isWellFormed()) return "must be well-formed Unicode";
  return undefined;
}

/** Like `nameProblem`, for ids that callers choose and that appear in URLs. Rejects `.`, `..` and control characters too. */
export function idProblem(value: unknown): string | undefined {
  const problem = nameProblem(value);
  if (problem !== undefined) return problem;
  if (value === "." || value === "..") return 'must not be "." or "..", which no URL can hold';
  for (const char of String(value)) {
    const code = char.codePointAt(0) ?? 0;
    if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return "must not hold control characters";
  }
  return undefined;
}

function utf8Bytes(text: string): number {
  let bytes = 0;
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}

/** What no segment of a path can be, and what would be read as such a text: these follow a `~`. */
const ESCAPED = /^(?:\.{0,2}|~(?:\.{0,2}|~[^]*))$/u;

/** Returns a key or a name as a segment of a path, also the empty text, `.` and `..` (LIM2). */
export function toSegment(text: string): string {
  const encoded = encodeURIComponent(text.toWellFormed());
  return ESCAPED.test(text) ? `~${encoded}` : encoded;
}

/** Returns the text of a segment that is percent-decoded already. */
export function fromSegment(segment: string): string {
  return segment.startsWith("~") && ESCAPED.test(segment.slice(1)) ? segment.slice(1) : segment;
}
