/**
 * The check of an answer against a JSON Schema that was checked before (ASK4).
 *
 * Owns: the walk over schema and value, its bounds, and the list of problems. It generates no code. The number of its steps is
 * bounded, whatever schema and answer are: an author of one tenant must not stop the object of a run.
 */
import { type AnswerIssue, HOST_LIMITS } from "@holdfast/protocol";
import { type Context, KEYWORDS, type Keyword, type Outcome, newOutcome } from "./keywords.ts";
import { type Pattern, matchesPattern, readPattern } from "./pattern.ts";
import { type Schema, type SchemaObject, isObject, pointerStep, resolve } from "./schema.ts";

/** Levels of schemas within each other, over references, and of values within each other. */
const LEVELS_MAX = 1_000;

/** A path in the list of problems, in characters. The names in an answer may be long. */
const PATH_CHARS = 1_000;

/** Names or elements, and characters of a text, for which a keyword takes one more step. */
const PARTS_PER_STEP = 4;
const CHARS_PER_STEP = 40;

/** Thrown when the check takes too many steps. */
class TooMuch extends Error {}

/** Returns what is wrong with an answer, at most `answerIssues` problems; empty: nothing. */
export function answerIssues(
  schema: Schema,
  answer: unknown,
  stepsMax: number = HOST_LIMITS.answerSteps,
): AnswerIssue[] {
  const check = new AnswerCheck(schema, stepsMax);
  try {
    const problem = check.jsonIssue(answer, "");
    const issues = problem === undefined ? check.apply(schema, answer, "").issues : [problem];
    return issues.map(boundPath);
  } catch (error) {
    if (!(error instanceof TooMuch)) throw error;
    return [{ path: "", message: "takes too many steps to check. Send a smaller answer" }];
  }
}

/** The steps of a visit to each part of a value. */
function sizeOf(value: unknown): number {
  if (typeof value === "string") return value.length / CHARS_PER_STEP;
  if (Array.isArray(value)) return value.length / PARTS_PER_STEP;
  return isObject(value) ? sizeOf(Object.keys(value)) + sizeOf(Object.keys(value).join("")) : 0;
}

function boundPath({ path, message }: AnswerIssue): AnswerIssue {
  return path.length <= PATH_CHARS
    ? { path, message }
    : { path: "", message: `${path.slice(0, PATH_CHARS)}… ${message}` };
}

/** A keyword of a schema. `size`: the steps of a visit to each part of its value. */
interface Rule {
  readonly check: Keyword;
  readonly rule: unknown;
  readonly size: number;
}

class AnswerCheck implements Context {
  readonly #root: Schema;
  readonly #rules = new Map<SchemaObject, readonly Rule[]>();
  readonly #patterns = new Map<string, Pattern>();
  readonly #targets = new Map<string, Schema | undefined>();
  #left: number;
  #level = 0;

  constructor(root: Schema, stepsMax: number) {
    this.#root = root;
    this.#left = stepsMax;
  }

  readonly spend = (steps: number): void => {
    this.#left -= steps;
    if (this.#left < 0) throw new TooMuch();
  };

  /** The problem of a value that JSON does not have. */
  jsonIssue(value: unknown, path: string): AnswerIssue | undefined {
    this.spend(1);
    if (value === null || typeof value === "boolean") return undefined;
    if (typeof value === "string") this.spend(value.length / 100);
    if (typeof value === "string" || Number.isFinite(value)) return undefined;
    if (value === undefined) return { path, message: path === "" ? "the answer is missing" : "is missing" };
    const isPlain = Array.isArray(value) || (isObject(value) && isPlainObject(value));
    if (!isPlain) return { path, message: "must be a JSON value" };
    this.#enter();
    for (const [name, part] of Object.entries(value)) {
      const problem = this.jsonIssue(part, path + pointerStep(name));
      if (problem !== undefined) return problem;
    }
    this.#level -= 1;
    return undefined;
  }

  #enter(): void {
    this.#level += 1;
    if (this.#level > LEVELS_MAX) throw new TooMuch();
  }

  apply(schema: Schema, value: unknown, path: string): Outcome {
    this.spend(1);
    const outcome = newOutcome();
    if (schema === false) outcome.issues.push({ path, message: "is not allowed" });
    if (!isObject(schema)) return outcome;
    this.#enter();
    const size = sizeOf(value);
    for (const { check, rule, size: ofRule } of this.#rulesOf(schema)) {
      // A keyword may visit each part of the value, and each part of its own.
      this.spend(1 + ofRule + size);
      check({ context: this, schema, rule, value, path, outcome });
    }
    this.#level -= 1;
    outcome.issues.splice(HOST_LIMITS.answerIssues);
    return outcome;
  }

  #rulesOf(schema: SchemaObject): readonly Rule[] {
    const known = this.#rules.get(schema);
    if (known !== undefined) return known;
    const rules: Rule[] = [];
    for (const [keyword, check] of KEYWORDS) {
      if (!Object.hasOwn(schema, keyword)) continue;
      const rule = schema[keyword];
      rules.push({ check, rule, size: sizeOf(rule) });
    }
    this.#rules.set(schema, rules);
    return rules;
  }

  resolve(reference: string): Schema | undefined {
    if (!this.#targets.has(reference)) this.#targets.set(reference, resolve(this.#root, reference));
    return this.#targets.get(reference);
  }

  matches(source: string, text: string): boolean {
    const known = this.#patterns.get(source) ?? this.#read(source);
    return matchesPattern(known, text, this.spend);
  }

  #read(source: string): Pattern {
    const pattern = readPattern(source);
    // The schema was checked, perhaps by code that accepted other patterns.
    if (typeof pattern === "string") throw new TooMuch();
    this.#patterns.set(source, pattern);
    return pattern;
  }
}

function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}
