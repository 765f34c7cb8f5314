/**
 * One run of a workflow under test: the actions of a test, and the state that it reads.
 *
 * Owns: virtual time. It passes at once, but first the run waits for step bodies that await something real.
 */
import { type RunHeader, describeEntry, openAsks } from "@holdfast/orchestrator";
import {
  type Ask,
  type Duration,
  HoldfastError,
  HOST_LIMITS,
  isTerminal,
  parseDurationMs,
  parseOperationId,
} from "@holdfast/protocol";
import { webPlatform } from "../replay/platform.ts";
import type { MemoryHost } from "./memory-host/memory-host.ts";

/** A journal entry as a test sees it: `{ seq, type, at, operation: { kind, name, occurrence }, … }`. */
export type TestEntry = Readonly<Record<string, unknown>> & {
  readonly type: string;
  readonly operation: { readonly kind: string; readonly name: string; readonly occurrence: number };
};

/** What a run asks a person. */
export type OpenTestAsk = Ask & { readonly tokenId: string };

/** What remains of the patience with a body after which nothing else can happen. */
const LAST_PATIENCES = 3;

/** Virtual time after which a run to which nothing happens is given up. A schedule of a world always has a next tick. */
const QUIET_MS_MAX = 366 * 86_400_000;

export class TestRun {
  readonly #host: MemoryHost;
  readonly #patienceMs: number;
  #deliveries = 0;
  /** The bodies for which the run has waited in vain: virtual time advances without them. */
  #outwaited = "";

  /** `patienceMs`: how long a step body may await something real before virtual time continues, real milliseconds. */
  constructor(host: MemoryHost, patienceMs: number) {
    this.#host = host;
    this.#patienceMs = patienceMs;
  }

  get id(): string {
    return this.#host.runId;
  }

  /** A run that a window of debounce or batch will start is `pending`: it does not exist until then. */
  get status(): RunHeader["status"] {
    return this.#header?.status ?? "pending";
  }

  get #header(): RunHeader | undefined {
    return this.#host.host.state.header;
  }

  /** The virtual time. */
  get now(): Date {
    return new Date(this.#host.clock.now());
  }

  get journal(): TestEntry[] {
    return this.#host.journal.map((entry) => describeEntry(entry, { chars: HOST_LIMITS.jsonChars }) as TestEntry);
  }

  /** Delivers a signal. Without a `deliveryId` each call is a delivery of its own. */
  signal(name: string, payload?: unknown, deliveryId?: string): Promise<void> {
    return this.#deliver("signal", name, payload, deliveryId);
  }

  /** Delivers an event. Without a `deliveryId` each call is a delivery of its own. */
  event(type: string, payload?: unknown, deliveryId?: string): Promise<void> {
    return this.#deliver("event", type, payload, deliveryId);
  }

  /** A delivery that is repeated after a crash has the same id, as the client's deliveries have (WAIT3). */
  #deliver(kind: "signal" | "event", name: string, payload: unknown, deliveryId?: string): Promise<void> {
    this.#deliveries += 1;
    const id = deliveryId ?? `${this.id} delivery ${this.#deliveries}`;
    return this.#do(() => this.#host.deliver(kind, name, payload, id));
  }

  /** The open asks, oldest first. */
  get asks(): OpenTestAsk[] {
    const header = this.#header;
    return (header === undefined ? [] : openAsks(header)).map(({ ask, tokenId = "" }) => ({ ...ask, tokenId }));
  }

  /** Answers a token. Default: the oldest open one. Throws if the answer does not fit its ask. */
  async answer(payload?: unknown, tokenId?: string): Promise<void> {
    const open = this.#header?.waits.find((wait) => wait.tokenId !== undefined);
    const id = tokenId ?? open?.tokenId;
    if (id === undefined) throw failure(`the run waits for no token. ${this.#describe()}`);
    await this.#do(() => this.#host.resolveToken(id, payload));
  }

  cancel(reason?: string): Promise<void> {
    return this.#do(() => this.#host.cancel(reason));
  }

  terminate(reason: string): Promise<void> {
    return this.#do(() => this.#host.terminate(reason));
  }

  pause(): Promise<void> {
    return this.#do(() => this.#host.operate("pause"));
  }

  unpause(): Promise<void> {
    return this.#do(() => this.#host.operate("unpause"));
  }

  /** Advances virtual time. */
  async advance(duration: Duration): Promise<void> {
    const until = this.#host.clock.now() + parseDurationMs(duration, "run.advance");
    await this.#settle();
    while (await this.#host.next(until)) await this.#settle();
    const left = until - this.#host.clock.now();
    if (left > 0) this.#host.clock.jump(left);
  }

  /** Continues the run until it waits for this signal, event, token (`"token"`) or child. */
  async waitsFor(name: string): Promise<void> {
    const waits = (): boolean => this.#header?.waits.some((wait) => parseOperationId(wait.op).name === name) === true;
    await this.#until(waits, `wait for ${JSON.stringify(name)}`);
  }

  /** Continues the run until it has ended. */
  async ends(): Promise<void> {
    await this.#until(() => this.#host.ended, "end");
  }

  async #until(condition: () => boolean, what: string): Promise<void> {
    let [commits, since] = [-1, 0];
    for (;;) {
      await this.#settle();
      if (condition()) return;
      const now = this.#host.clock.now();
      if (this.#host.store.counts.commits !== commits || !this.#waitsForOthers)
        [commits, since] = [this.#host.store.counts.commits, now];
      else if (now - since > QUIET_MS_MAX)
        throw failure(`the run did not ${what}: nothing has happened to it for a year. ${this.#describe()}`);
      if (this.status === "paused" && this.#header?.paused?.by === "engine") this.#throwPaused();
      if (this.#bodies !== "" && this.#host.clock.nextAt === undefined && !this.#host.agenda.isTimed) {
        if ((await this.#outwait(LAST_PATIENCES)) !== "") throw this.#hangs(what);
        continue;
      }
      if (isTerminal(this.status) || !(await this.#host.next()))
        throw failure(`the run did not ${what}, and no timer is left. ${this.#describe()}`);
    }
  }

  /** Whether the run has no timer, body or child of its own. */
  get #waitsForOthers(): boolean {
    const { bodies, isTimed } = this.#host.doing;
    const hasChild = this.#header?.waits.some(({ op }) => parseOperationId(op).kind === "run") === true;
    return !isTimed && bodies.length === 0 && !hasChild;
  }

  #throwPaused(): never {
    const error = this.#header?.error;
    throw failure(`the run was paused with ${error?.code}: ${error?.message}`);
  }

  #describe(): string {
    const waits = (this.#header?.waits ?? []).map(({ op }) => {
      const { kind, name } = parseOperationId(op);
      return `${kind} ${JSON.stringify(name)}`;
    });
    const bodies = this.#host.host
      .stepsInProgress()
      .map(({ op }) => `step ${JSON.stringify(parseOperationId(op).name)}`);
    const open = [...waits, ...bodies].join(", ") || "nothing";
    const helps = waits.length > 0 ? " Deliver it with run.signal, run.event or run.answer." : "";
    return `It is ${this.status} and waits for: ${open}.${helps}`;
  }

  #hangs(what: string): HoldfastError {
    const seconds = (this.#patienceMs * (1 + LAST_PATIENCES)) / 1_000;
    return failure(
      `the run did not ${what}: a step body awaits something real and did not end within ${seconds} s. ${this.#describe()} Usual causes: a timer that the test has replaced (useFakeTimers), or a promise that nothing settles. Replace the body with the option steps, give the step a timeout, or raise patienceMs.`,
    );
  }

  /** Runs everything that needs no virtual time. Waits once for bodies that await something real. */
  async #settle(): Promise<void> {
    await this.#host.settle();
    while (this.#bodies !== this.#outwaited) this.#outwaited = await this.#outwait(1);
  }

  get #bodies(): string {
    return this.#host.agenda.bodies.join();
  }

  /** Waits until other bodies are in progress than now, at most `patiences`. Returns the bodies, if they are the same. */
  async #outwait(patiences: number): Promise<string> {
    const bodies = this.#bodies;
    const until = webPlatform.now() + patiences * this.#patienceMs;
    while (this.#bodies === bodies) {
      if (bodies === "" || webPlatform.now() >= until) return bodies;
      await new Promise<void>((resolve) => webPlatform.setTimer(1, resolve));
      await this.#host.settle();
    }
    return "";
  }

  async #do(act: () => { readonly type: string; readonly message?: string }): Promise<void> {
    const { crashes } = this.#host;
    const reply = act();
    // After a crash the command was repeated: the refusal says that the first attempt had its effect.
    if (reply.type === "refused" && this.#host.crashes === crashes)
      throw failure(`the run refused this: ${reply.message}`);
    await this.#settle();
  }
}

function failure(text: string): HoldfastError {
  return new HoldfastError("INVALID_ARGUMENT", `testWorkflow: ${text}`);
}
