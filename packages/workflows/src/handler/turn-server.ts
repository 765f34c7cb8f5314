/**
 * Answers the turns of executions, whatever carries them.
 *
 * Owns: the start of sessions, the identity of this instance, and what a request of another instance gets (DUR11).
 */
import {
  type ExecutionStart,
  type TurnAnswer,
  type TurnContent,
  type TurnRequest,
  type WorkflowIndex,
  errorValue,
} from "@holdfast/protocol";
import type { Workflow } from "../authoring/workflow.ts";
import type { Platform } from "../replay/platform.ts";
import { RunEpochs } from "./run-epochs.ts";
import { completeStart } from "./older-start.ts";
import { versionToKeep } from "./reported-values.ts";
import { notServed, otherVersion } from "./served.ts";
import { Session } from "./session.ts";
import { type SessionLimits, Sessions } from "./sessions.ts";

export interface TurnServerOptions {
  readonly platform: Platform;
  /** The maximum time of a request while bodies execute, ms. */
  readonly holdMs: number;
  readonly stateless: boolean;
  readonly limits: SessionLimits;
  /** How long this instance serves, ms, on a monotonic clock. */
  readonly upMs: () => number;
}

/** What a turn gets. `later`: the only answer of a session without a further turn. */
export type TurnReply =
  | { readonly type: "answer"; readonly answer: TurnAnswer }
  | { readonly type: "later"; readonly session: Session; readonly toAnswer: (content: TurnContent) => TurnAnswer }
  | { readonly type: "full" };

/** How often a server that drains looks at its sessions, ms. */
const DRAIN_CHECK_MS = 50;

export class TurnServer {
  readonly #index: WorkflowIndex<Workflow>;
  readonly #options: TurnServerOptions;
  readonly #sessions: Sessions;
  readonly #epochs = new RunEpochs();
  #instance: string | undefined;
  #draining = false;

  constructor(index: WorkflowIndex<Workflow>, options: TurnServerOptions) {
    this.#index = index;
    this.#options = options;
    this.#sessions = new Sessions(options.limits, options.platform);
  }

  /** The id of this instance. Created by the first request: Workers allow no random numbers before. */
  get instance(): string {
    return (this.#instance ??= this.#options.platform.randomId());
  }

  /** `chars`: the size of the request, in characters. */
  async turn(request: TurnRequest, chars: number): Promise<TurnReply> {
    const { holdMs, upMs } = this.#options;
    this.#sessions.sweep();
    const { start } = request;
    const mine = this.instance;
    if (request.instance !== undefined && request.instance !== mine)
      return this.#answer(request, { type: "wrong_instance", mine, upMs: upMs() });
    const known = this.#sessions.get(request.session);
    // What is dropped is answered below, and another process continues from the journal.
    if (this.#draining && known?.isNeeded(request.answer?.report) === false) known.drop();
    if (known !== undefined) return this.#answer(request, await known.turn(request, holdMs));
    if (start === undefined) return this.#answer(request, { type: "unknown_session", upMs: upMs() });
    if (this.#draining) return { type: "full" };
    return this.#start(request, start, chars);
  }

  /**
   * Begins no further execution, and hands over those that execute no body. Resolves when no body executes and all outcomes
   * are stored (PIPE7).
   */
  async drain(): Promise<void> {
    this.#draining = true;
    while (this.#sessions.dropUnneeded()) {
      await new Promise<void>((resolve) => this.#options.platform.setTimer(DRAIN_CHECK_MS, resolve));
      this.#sessions.sweep();
    }
  }

  async #start(request: TurnRequest, start: ExecutionStart, chars: number): Promise<TurnReply> {
    const { platform, stateless, holdMs } = this.#options;
    const other = otherVersion(start);
    if (other !== undefined) return this.#answer(request, { type: "lost", error: other });
    const workflow = this.#index.find(start.workflowId, start.workflowVersion);
    if (workflow === undefined)
      return this.#answer(request, { type: "lost", error: errorValue("WORKFLOW_NOT_FOUND", notServed(start)) });
    if (!this.#epochs.accept(start)) return this.#answer(request, { type: "unknown_session" });
    const session = new Session(platform, stateless, start, versionToKeep(start, workflow));
    const execute = (): void =>
      session.begin(workflow.executeOn(session.announcer.platform(platform), completeStart(start), session.port));
    if (stateless) {
      execute();
      return { type: "later", session, toAnswer: (content) => this.#message(request, content) };
    }
    if (this.#sessions.admit(start, chars) === "full") return { type: "full" };
    execute();
    this.#sessions.add(request.session, start, session, chars);
    return this.#answer(request, await session.turn(request, holdMs));
  }

  #answer(request: TurnRequest, content: TurnContent): TurnReply {
    return { type: "answer", answer: this.#message(request, content) };
  }

  #message({ session }: TurnRequest, content: TurnContent): TurnAnswer {
    return { session, instance: this.instance, ...(this.#options.stateless ? { stateless: true } : {}), ...content };
  }
}
