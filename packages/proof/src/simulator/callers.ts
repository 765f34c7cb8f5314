/**
 * The callers of the runs, and the operators.
 *
 * Owns: their requests, and what was acknowledged. The platform holds an answer back until the commits before it are
 * durable (S4). If the process dies before, the caller gets no answer and repeats the request, an act with its key (API10).
 */
import type { Reply, Requested } from "@holdfast/orchestrator";
import type { MemoryHost } from "@holdfast/workflows/testing";
import { MISFIT, answerText } from "./answers.ts";
import type { Delivered } from "./interpreter.ts";
import type { Action } from "./scenario.ts";

interface Request {
  readonly host: MemoryHost;
  readonly send: () => Reply;
  readonly answered: (reply: Reply) => void;
}

/** An act that was answered, with the key of its request. */
export interface Act {
  readonly key: string;
  readonly refused: boolean;
}

export class Callers {
  readonly #count: (what: string) => void;
  /** The requests that are not answered. */
  #open: Request[] = [];
  /** Acknowledged deliveries by run, kind and name, in order. */
  readonly #acknowledged = new Map<string, string[]>();
  readonly #delivered = new Set<string>();
  /** The acknowledged answers to the tokens of each run. */
  readonly #tokens = new Map<string, (readonly [tokenId: string, answer: string])[]>();
  /** The acts on each run. */
  readonly #acts = new Map<string, Act[]>();
  #keys = 0;
  /** Each answer to a token differs from all others. */
  #answers = 0;
  #cancelled = false;
  readonly #terminated = new Set<string>();
  readonly #cancelAcknowledged = new Set<string>();

  constructor(count: (what: string) => void) {
    this.#count = count;
  }

  /** Makes a request, and repeats it until its answer arrives. `answered`: called once, with this answer. */
  ask(host: MemoryHost, send: () => Reply, answered: (reply: Reply) => void = () => {}): void {
    this.#send({ host, send, answered });
  }

  #send(request: Request): void {
    const { host, send, answered } = request;
    const reply = send();
    if (host.store.losable === 0) return answered(reply);
    this.#open.push(request);
    void host.store.durable().then((durable) => {
      if (!durable) return;
      this.#open = this.#open.filter((one) => one !== request);
      answered(reply);
    });
  }

  /** Whether a caller of this run has no answer yet. */
  wait(host: MemoryHost): boolean {
    return this.#open.some((one) => one.host === host);
  }

  /** The process of this run has died. Its callers repeat what was not answered, in the same order. */
  repeat(host: MemoryHost): void {
    const unanswered = this.#open.filter((one) => one.host === host);
    this.#open = this.#open.filter((one) => one.host !== host);
    for (const request of unanswered) this.#send(request);
  }

  operate(host: MemoryHost, type: "pause" | "unpause" | "retry" | "settle" | "reindex"): void {
    this.#act(host, (request) => host.operate(type, request));
  }

  /** Makes a request with a key, which each repetition has. */
  #act(host: MemoryHost, send: (request: Requested) => Reply, answered: (reply: Reply) => void = () => {}): void {
    const key = `key-${++this.#keys}`;
    this.ask(
      host,
      () => send({ by: "the simulator", requestKey: key }),
      (reply) => {
        append(this.#acts, host.runId, { key, refused: reply.type === "refused" });
        answered(reply);
      },
    );
  }

  deliver(host: MemoryHost, { on, name, delivery }: Action["act"] & { readonly type: "deliver" }): void {
    const id = `d${delivery}-${host.runId}`;
    const send = (): Reply => host.deliver(on, name, { id, even: delivery % 2 === 0 } satisfies Delivered, id);
    this.ask(host, send, (reply) => {
      this.#count(`action: delivery ${reply.type === "delivered" ? reply.delivery : reply.type}`);
      if (reply.type !== "delivered" || this.#delivered.has(id)) return;
      this.#delivered.add(id);
      append(this.#acknowledged, `${host.runId} ${on} ${name}`, id);
    });
  }

  /** Answers the oldest open token. If it asks, another caller gives an answer before that does not fit. */
  answerToken(host: MemoryHost): void {
    const wait = host.header.waits.find(({ tokenId }) => tokenId !== undefined);
    if (wait?.tokenId === undefined) return;
    if (wait.ask !== undefined) this.#answer(host, wait.tokenId, MISFIT);
    this.#answer(host, wait.tokenId, answerText(++this.#answers));
  }

  #answer(host: MemoryHost, tokenId: string, answer: string): void {
    this.#act(
      host,
      (request) => host.resolveToken(tokenId, answer, request),
      (reply) => {
        const how = reply.type === "refused" && reply.code === "invalid_answer" ? reply.code : reply.type;
        this.#count(`action: token ${reply.type === "delivered" ? reply.delivery : how}`);
        if (reply.type === "delivered") append(this.#tokens, host.runId, [tokenId, answer]);
      },
    );
  }

  terminate(host: MemoryHost): void {
    this.#cancelled = true;
    const send = (request: Requested): Reply => host.terminate("by the simulator", request);
    this.#act(host, send, ({ type }) => {
      if (type === "done") this.#terminated.add(host.runId);
    });
  }

  cancel(host: MemoryHost): void {
    this.#cancelled = true;
    let undoes = false;
    const send = (request: Requested): Reply => {
      undoes = host.triggered && host.header.unwinding !== undefined;
      return host.cancel("by the simulator", request);
    };
    this.#act(host, send, ({ type }) => {
      if (type === "done" && !undoes) this.#cancelAcknowledged.add(host.runId);
    });
  }

  /** What the callers of a run know. `cancelled`: they may have cancelled some run. */
  of(runId: string): {
    readonly cancelled: boolean;
    readonly terminated: boolean;
    readonly cancelAcknowledged: boolean;
    readonly acknowledged: (on: string, name: string) => readonly string[];
    readonly answered: readonly (readonly [tokenId: string, answer: string])[];
    readonly acts: readonly Act[];
  } {
    return {
      cancelled: this.#cancelled,
      terminated: this.#terminated.has(runId),
      cancelAcknowledged: this.#cancelAcknowledged.has(runId),
      acknowledged: (on, name) => this.#acknowledged.get(`${runId} ${on} ${name}`) ?? [],
      answered: this.#tokens.get(runId) ?? [],
      acts: this.#acts.get(runId) ?? [],
    };
  }
}

function append<T>(lists: Map<string, T[]>, key: string, item: T): void {
  lists.set(key, [...(lists.get(key) ?? []), item]);
}
