/**
 * Regular expressions whose match takes time in proportion to the text, whatever the expression is (ASK4).
 *
 * Owns: reading an expression into the states of an automaton. The engine of the platform backtracks: for `(a+)+$` and a text
 * of forty letters it would not end. Here each state is visited once at each place of the text. Only single characters, such as
 * `[a-z]` or `\p{L}`, are matched by the engine of the platform.
 *
 * Invariants
 * - PA1 An expression that passes `readPattern` means what it means in ECMAScript with the flag `u`, unanchored. Back
 *   references and lookbehind are refused: an automaton cannot have them.
 */

/** One state. `next` is the state that follows. */
type State =
  | { readonly type: "end" }
  | { readonly type: "char"; readonly fits: (char: string) => boolean; readonly next: number }
  | { readonly type: "fork"; readonly to: readonly number[] }
  | { readonly type: "edge"; readonly edge: Edge; readonly next: number }
  /** A look-ahead: what begins at `start` must match here, or must not. */
  | { readonly type: "ahead"; readonly start: number; readonly wanted: boolean; readonly next: number };

type Edge = "^" | "$" | "\\b" | "\\B";

export interface Pattern {
  readonly states: readonly State[];
  readonly start: number;
}

/** The states of one expression. A repetition such as `{1000}` counts as many times as it repeats. */
const STATES_MAX = 2_000;

/** Groups within each other. */
const GROUPS_MAX = 100;

/** What an expression consists of, before it becomes states. */
type Part =
  | { readonly type: "char"; readonly fits: (char: string) => boolean }
  | { readonly type: "edge"; readonly edge: Edge }
  | { readonly type: "ahead"; readonly part: Part; readonly wanted: boolean }
  | { readonly type: "sequence" | "choice"; readonly parts: readonly Part[] }
  | { readonly type: "repeat"; readonly part: Part; readonly min: number; readonly max: number };

/** Thrown with the reason. */
class Refused extends Error {}

/** Returns the pattern, or what is wrong with it. */
export function readPattern(source: string): Pattern | string {
  try {
    // Only its syntax is checked. This expression is never executed.
    RegExp(source, "u");
  } catch (error) {
    return `is not a valid expression: ${error instanceof Error ? error.message : ""}`;
  }
  try {
    const part = new Reader(source).read();
    const states: State[] = [{ type: "end" }];
    const start = addStates(part, 0, states);
    return { states, start };
  } catch (error) {
    if (error instanceof Refused) return error.message;
    throw error;
  }
}

/** Adds the states of a part in front of the state `next`. Returns the first one. */
function addStates(part: Part, next: number, states: State[]): number {
  const add = (state: State): number => {
    if (states.length >= STATES_MAX)
      throw new Refused(
        `is too large: its repetitions make more than ${STATES_MAX} states. Use minLength and maxLength`,
      );
    return states.push(state) - 1;
  };
  switch (part.type) {
    case "char":
    case "edge":
      return add({ ...part, next });
    case "ahead":
      return add({ type: "ahead", start: addStates(part.part, 0, states), wanted: part.wanted, next });
    case "sequence":
      return part.parts.reduceRight((after, one) => addStates(one, after, states), next);
    case "choice":
      return add({ type: "fork", to: part.parts.map((one) => addStates(one, next, states)) });
    case "repeat":
      return addRepeat(part, next, states, add);
  }
}

function addRepeat(
  { part, min, max }: Part & { readonly type: "repeat" },
  next: number,
  states: State[],
  add: (state: State) => number,
): number {
  let first = next;
  if (max === Infinity) {
    const to: number[] = [next];
    first = add({ type: "fork", to });
    to.push(addStates(part, first, states));
  }
  const optional = max === Infinity ? 0 : max - min;
  for (let count = 0; count < optional; count++)
    first = add({ type: "fork", to: [addStates(part, first, states), next] });
  const before = states.length;
  // A part without states, such as a group without text, has none the next time.
  for (let count = 0; count < min && (count === 0 || states.length > before); count++)
    first = addStates(part, first, states);
  return first;
}

/** Reads an expression that is valid. */
class Reader {
  readonly #source: string;
  #at = 0;
  #groups = 0;

  constructor(source: string) {
    this.#source = source;
  }

  read(): Part {
    const parts = [this.#sequence()];
    while (this.#take("|")) parts.push(this.#sequence());
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : { type: "choice", parts };
  }

  #sequence(): Part {
    const parts: Part[] = [];
    while (this.#at < this.#source.length && !this.#sees("|") && !this.#sees(")")) parts.push(this.#repeated());
    return { type: "sequence", parts };
  }

  #repeated(): Part {
    const part = this.#one();
    const found = /^(?:[*+?]|\{(\d+)(,?)(\d*)\})/.exec(this.#source.slice(this.#at));
    if (found === null) return part;
    const [text, least = "", comma = "", most = ""] = found;
    this.#at += text.length;
    // Whether it is greedy does not matter: nothing asks how long the match is.
    this.#take("?");
    if (least === "") return { type: "repeat", part, min: text === "+" ? 1 : 0, max: text === "?" ? 1 : Infinity };
    const max = comma === "" ? Number(least) : most === "" ? Infinity : Number(most);
    if (Math.max(Number(least), max === Infinity ? 0 : max) > STATES_MAX)
      throw new Refused(`repeats more than ${STATES_MAX} times. Use minLength and maxLength`);
    return { type: "repeat", part, min: Number(least), max };
  }

  #one(): Part {
    if (this.#take("(")) return this.#group();
    const edge = (["^", "$", "\\b", "\\B"] as const).find((text) => this.#take(text));
    return edge === undefined ? this.#char() : { type: "edge", edge };
  }

  #group(): Part {
    if (this.#sees("?<=") || this.#sees("?<!"))
      throw new Refused("has a lookbehind, which takes unbounded time. Leave it out");
    const ahead = ["?=", "?!"].find((text) => this.#take(text));
    const [opened = ""] = /^\?(?::|<[^>]*>)/.exec(this.#source.slice(this.#at)) ?? [];
    if (ahead === undefined && opened === "" && this.#sees("?"))
      throw new Refused("has modifiers of a group. Leave them out");
    this.#at += opened.length;
    this.#groups += 1;
    if (this.#groups > GROUPS_MAX) throw new Refused(`has more than ${GROUPS_MAX} groups within each other`);
    const part = this.read();
    this.#groups -= 1;
    this.#take(")");
    return ahead === undefined ? part : { type: "ahead", part, wanted: ahead === "?=" };
  }

  #char(): Part {
    const rest = this.#source.slice(this.#at);
    if (/^\\(?:[1-9]|k<)/.test(rest))
      throw new Refused("has a back reference, which takes unbounded time. Leave it out");
    const [text = ""] = SPECIAL.exec(rest) ?? Array.from(rest.slice(0, 2));
    this.#at += text.length;
    if (!/^[\\[.]/.test(text)) return { type: "char", fits: (char) => char === text };
    const one = new RegExp(`^${text}$`, "u");
    return { type: "char", fits: (char) => one.test(char) };
  }

  #sees(text: string): boolean {
    return this.#source.startsWith(text, this.#at);
  }

  #take(text: string): boolean {
    const sees = this.#sees(text);
    if (sees) this.#at += text.length;
    return sees;
  }
}

/** A class, an escape, or a dot. */
const SPECIAL =
  /^(?:\[(?:\\[^]|[^\]\\])*\]|\\[pPu]\{[^}]*\}|\\u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|\\u[\da-fA-F]{4}|\\x[\da-fA-F]{2}|\\c[A-Za-z]|\\[^]|\.)/;

/**
 * Whether a pattern matches somewhere in a text. `spend` is called with the number of steps, and may throw.
 */
export function matchesPattern({ states, start }: Pattern, text: string, spend: (steps: number) => void): boolean {
  const chars = Array.from(text);
  const size = states.length * (chars.length + 1);
  spend(size / 8);
  const search = new Search(states, chars, spend);
  const failed = new Uint8Array(size);
  for (let at = 0; at <= chars.length; at++) if (search.reaches(start, at, failed)) return true;
  return false;
}

const WORD = /\w/;

class Search {
  readonly #states: readonly State[];
  readonly #chars: readonly string[];
  readonly #spend: (steps: number) => void;

  constructor(states: readonly State[], chars: readonly string[], spend: (steps: number) => void) {
    this.#states = states;
    this.#chars = chars;
    this.#spend = spend;
  }

  /** Whether the end can be reached. `seen`: what was visited at each place, and failed. */
  reaches(start: number, place: number, seen: Uint8Array): boolean {
    const open: [state: number, at: number][] = [[start, place]];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const [number, at] = next;
      const key = at * this.#states.length + number;
      if (seen[key] === 1) continue;
      seen[key] = 1;
      this.#spend(1);
      const state = this.#states[number];
      if (state === undefined || state.type === "end") return true;
      for (const to of this.#after(state, at)) open.push([to, state.type === "char" ? at + 1 : at]);
    }
    return false;
  }

  /** The states that follow at this place. */
  #after(state: Exclude<State, { readonly type: "end" }>, at: number): readonly number[] {
    switch (state.type) {
      case "fork":
        return state.to;
      case "char": {
        const char = this.#chars[at];
        return char !== undefined && state.fits(char) ? [state.next] : [];
      }
      case "edge":
        return this.#isEdge(state.edge, at) ? [state.next] : [];
      case "ahead":
        return this.#looksAhead(state.start, at) === state.wanted ? [state.next] : [];
    }
  }

  /** A look-ahead that matches says of no place that it fails, so each one begins again. The steps are bounded. */
  #looksAhead(start: number, at: number): boolean {
    const size = this.#states.length * (this.#chars.length + 1);
    this.#spend(size / 8);
    return this.reaches(start, at, new Uint8Array(size));
  }

  #isEdge(edge: Edge, at: number): boolean {
    if (edge === "^") return at === 0;
    if (edge === "$") return at === this.#chars.length;
    const isBetween = WORD.test(this.#chars[at - 1] ?? "") !== WORD.test(this.#chars[at] ?? "");
    return isBetween === (edge === "\\b");
  }
}
