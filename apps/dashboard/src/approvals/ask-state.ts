/**
 * One open ask, and what the reader does with it.
 *
 * Owns: the draft of the answer, what is wrong with it, and whether the ask is still open. A draft stays when the reader
 * closes the ask. What the server refuses as `invalid_answer` leaves the ask open, with each problem at its field.
 */
import { type Signal, signal } from "@preact/signals";
import { ApiError } from "@holdfast/workflows/client";
import { type Failure, failureOf, issuesOf } from "../failure.tsx";
import { api } from "../session.ts";
import { parseJson } from "../ui/json-text.ts";
import { type OpenAsk, asksOf } from "./approval.ts";
import { type Answer, type Problem, answerOf } from "./form-answer.ts";
import { type Draft, draftOf } from "./form-draft.ts";
import { type Field, formOf } from "./form-model.ts";
import { closedText } from "./why-closed.ts";

export type Phase =
  | { readonly kind: "open" | "sending" }
  /** This reader answered. */
  | { readonly kind: "answered"; readonly text: string }
  /** The ask is closed for another reason. */
  | { readonly kind: "closed"; readonly text: string };

/** An answer that needs a second click. */
export interface Pending {
  readonly label: string;
  readonly value: unknown;
}

export class AskState {
  readonly ask: Signal<OpenAsk>;
  readonly phase: Signal<Phase> = signal({ kind: "open" });
  readonly field: Signal<Field | undefined>;
  readonly draft: Signal<Draft | undefined>;
  /** The whole answer as JSON, if the reader prefers that to the form. */
  readonly json: Signal<string | undefined> = signal(undefined);
  readonly problems: Signal<readonly Problem[]> = signal([]);
  /** How many answers were refused, here or by the server. */
  readonly refusals: Signal<number> = signal(0);
  readonly pending: Signal<Pending | undefined> = signal(undefined);
  readonly failure: Signal<Failure | undefined> = signal(undefined);
  /** When it was closed, milliseconds of the browser's clock. */
  closedAt = 0;
  #isWhole: boolean;

  constructor(ask: OpenAsk) {
    this.ask = signal(ask);
    this.#isWhole = ask.truncated !== true;
    const field = this.#isWhole ? fieldOf(ask) : undefined;
    this.field = signal(field);
    this.draft = signal(field && draftOf(field));
  }

  get isOpen(): boolean {
    return this.phase.value.kind === "open" || this.phase.value.kind === "sending";
  }

  /** Reads what the list leaves out because it is large. */
  async load(): Promise<void> {
    if (this.#isWhole) return;
    const { runId, op, tokenId } = this.ask.value;
    this.failure.value = undefined;
    try {
      const whole = asksOf(await api().run(runId).get({ view: "summary" })).find((one) => one.op === op);
      // Another call has read it: the reader may be writing.
      if (this.#isWhole) return;
      if (whole === undefined) return this.close("It is not open any longer.");
      this.#isWhole = true;
      const { truncated: _truncated, ...listed } = this.ask.value;
      this.ask.value = { ...listed, ...whole, tokenId: whole.tokenId ?? tokenId };
      this.field.value = fieldOf(this.ask.value);
      this.draft.value = this.field.value && draftOf(this.field.value);
    } catch (error) {
      this.failure.value = failureOf(error);
    }
  }

  /** The reader changes the field at the path: what was wrong there may be right now. */
  touch(path: string): void {
    const isBelow = (one: Problem): boolean => one.path === path || one.path.startsWith(`${path}/`);
    if (this.problems.value.some(isBelow)) this.problems.value = this.problems.value.filter((one) => !isBelow(one));
  }

  /** Returns the answer as it is written, and marks what is wrong with it. */
  read(): Answer {
    const answer = this.#read();
    this.problems.value = answer.ok ? [] : answer.problems;
    if (!answer.ok) this.refusals.value++;
    return answer;
  }

  #read(): Answer {
    const json = this.json.value;
    const [field, draft] = [this.field.value, this.draft.value];
    if (json === undefined && field !== undefined && draft !== undefined) return answerOf(field, draft);
    const parsed = parseJson(json ?? "");
    if (parsed.kind === "value") return { ok: true, value: parsed.value };
    // Without a schema, nothing is an answer too.
    if (parsed.kind === "empty" && field === undefined) return { ok: true, value: undefined };
    return { ok: false, problems: [{ path: "", message: "Write the answer as JSON." }] };
  }

  /** Shows what is written so far as JSON. */
  writeJson(): void {
    const [field, draft] = [this.field.value, this.draft.value];
    const answer = field !== undefined && draft !== undefined ? answerOf(field, draft) : undefined;
    this.problems.value = [];
    this.json.value = answer?.ok === true ? JSON.stringify(answer.value, null, 2) : "";
  }

  /** Whether the form can write the JSON. */
  get canUseForm(): boolean {
    return this.#formDraft() !== undefined;
  }

  useForm(): void {
    const draft = this.#formDraft();
    if (draft === undefined) return;
    this.problems.value = [];
    this.draft.value = draft;
    this.json.value = undefined;
  }

  #formDraft(): Draft | undefined {
    const field = this.field.value;
    const parsed = parseJson(this.json.value ?? "");
    if (field === undefined || parsed.kind === "invalid") return undefined;
    if (parsed.kind === "empty") return this.draft.value;
    const draft = draftOf(field, parsed.value);
    const answer = answerOf(field, draft);
    return answer.ok && sameJson(answer.value, parsed.value) ? draft : undefined;
  }

  /** Sends an answer; if the risk is high, only after a second click. */
  async answer(label: string, value: unknown, isConfirmed = false): Promise<void> {
    if (this.phase.value.kind !== "open") return;
    if (this.ask.value.risk === "high" && !isConfirmed) {
      this.pending.value = { label, value };
      return;
    }
    this.pending.value = undefined;
    this.failure.value = undefined;
    this.phase.value = { kind: "sending" };
    try {
      const delivery = await api()
        .run(this.ask.value.runId)
        .resolveToken(this.ask.value.tokenId ?? "", value);
      const how = delivery === "buffered" ? " The run is paused, and takes it when the pause ends." : "";
      this.#end({ kind: "answered", text: `You answered: ${label}.${how}` });
    } catch (error) {
      this.#refused(error);
    }
  }

  close(text: string): void {
    if (this.isOpen) this.#end({ kind: "closed", text });
  }

  #refused(error: unknown): void {
    const closed = error instanceof ApiError ? closedText(error) : undefined;
    if (closed !== undefined) return this.#end({ kind: "closed", text: closed });
    this.phase.value = { kind: "open" };
    const problems = problemsOf(error);
    const failure = failureOf(error);
    // Without credentials the draft stays as it is: the sign-in panel is over it.
    if (problems.length === 0 && failure.status !== 401) this.failure.value = failure;
    this.problems.value = problems;
    this.refusals.value++;
  }

  #end(phase: Phase): void {
    this.pending.value = undefined;
    this.closedAt = Date.now();
    this.phase.value = phase;
  }
}

function fieldOf({ schema }: OpenAsk): Field | undefined {
  return schema === undefined ? undefined : formOf(schema);
}

function problemsOf(error: unknown): readonly Problem[] {
  if (!(error instanceof ApiError) || error.code !== "invalid_answer") return [];
  return issuesOf(error).map(({ path, message }) => ({ path, message: sentence(message) }));
}

function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
}

/** Compares values of JSON, whatever the order of their names. */
function sameJson(a: unknown, b: unknown): boolean {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b;
  const names = Object.keys(a);
  if (Array.isArray(a) !== Array.isArray(b) || names.length !== Object.keys(b).length) return false;
  return names.every((name) => Object.hasOwn(b, name) && sameJson(Reflect.get(a, name), Reflect.get(b, name)));
}
