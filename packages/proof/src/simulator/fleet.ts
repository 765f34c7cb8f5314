/**
 * Step handlers that hold executions between turns: the real code of both ends of this pipe, in virtual time.
 *
 * Owns: the instances of the handler, the route of each request, and what happens to requests and answers. An instance that
 * restarts has forgotten its sessions, and the code in it never reports again.
 */
import { type LiveExecution, type TurnAnswer, type TurnRequest, WorkflowIndex } from "@holdfast/protocol";
import { PipeError, TurnExecution } from "@holdfast/orchestrator-cloudflare/turns";
import type { Workflow } from "@holdfast/workflows";
import { type TurnReply, TurnServer } from "@holdfast/workflows/turns";
import type { OrchestratorProcess, RemotePipe, VirtualClock } from "@holdfast/workflows/testing";
import type { HandlerBounds, TurnFault } from "./pipes.ts";

export interface FleetOptions {
  readonly workflows: readonly Workflow[];
  readonly clock: VirtualClock;
  /** Returns the fault of the next request. */
  readonly fault: () => TurnFault | undefined;
  /** An execution of this run is lost. */
  readonly lost: (runId: string) => void;
}

const INSTANCES = 2;
/** The delay of a late request, ms. */
export const LATE_MS = 3_000;

interface Instance {
  readonly server: TurnServer;
  /** The runs that it has executed. */
  readonly runs: Set<string>;
  readonly died: Promise<never>;
  readonly die: () => void;
}

type Connect = Parameters<RemotePipe["connect"]>;

export class Fleet implements RemotePipe {
  readonly readsPages: boolean;
  readonly #bounds: HandlerBounds;
  readonly #options: FleetOptions;
  readonly #index: WorkflowIndex<Workflow>;
  readonly #instances: (Instance | undefined)[] = [];
  /** The instance of each session. */
  readonly #routes = new Map<string, number>();

  constructor(bounds: HandlerBounds, options: FleetOptions) {
    this.#bounds = bounds;
    this.#options = options;
    this.readsPages = !bounds.stateless;
    this.#index = new WorkflowIndex(options.workflows);
  }

  connect(...[start, port, from]: Connect): LiveExecution {
    const { clock, lost } = this.#options;
    const own = {
      ...port,
      lost: (error: Parameters<typeof port.lost>[0]): void => {
        lost(from.runId);
        port.lost(error);
      },
    };
    const time = {
      now: () => clock.now(),
      pause: (ms: number) => this.#after(ms),
    };
    return new TurnExecution(start, own, { post: (request) => from.leave(() => this.#carry(request, from)) }, time);
  }

  async #carry(request: TurnRequest, from: OrchestratorProcess): Promise<TurnAnswer> {
    await crossed(from);
    const fault = this.#options.fault();
    const place = this.#placeOf(request, fault === "elsewhere");
    if (fault === "lost") throw new PipeError("the request was lost");
    if (fault === "late") await this.#after(LATE_MS);
    if (fault === "restart") this.#restart(place);
    const instance = (this.#instances[place] ??= this.#boot(from));
    instance.runs.add(from.runId);
    if (fault === "twice") this.#reply(instance, request).catch(() => {});
    const answer = await this.#reply(instance, request);
    await crossed(from);
    if (fault === "answer lost") throw new PipeError("the answer was lost");
    return answer;
  }

  async #reply({ server, died }: Instance, request: TurnRequest): Promise<TurnAnswer> {
    const text = JSON.stringify(request);
    const reply: TurnReply = await Promise.race([server.turn(JSON.parse(text), text.length), died]);
    if (reply.type === "full") throw new PipeError("the step handler has no room for a session");
    const answer =
      reply.type === "later" ? reply.toAnswer(await Promise.race([reply.session.onlyTurn(), died])) : reply.answer;
    return JSON.parse(JSON.stringify(answer)) as TurnAnswer;
  }

  #placeOf({ session }: TurnRequest, elsewhere: boolean): number {
    let place = this.#routes.get(session);
    if (place === undefined) {
      place = this.#routes.size % INSTANCES;
      this.#routes.set(session, place);
    }
    return elsewhere ? (place + 1) % INSTANCES : place;
  }

  #boot(from: OrchestratorProcess): Instance {
    const { clock } = this.#options;
    const { holdMs, stateless, ...limits } = this.#bounds;
    const bootedAt = clock.now();
    const death = Promise.withResolvers<never>();
    death.promise.catch(() => {});
    const upMs = (): number => clock.now() - bootedAt;
    return {
      server: new TurnServer(this.#index, { platform: from.platform(), holdMs, stateless, limits, upMs }),
      runs: new Set(),
      died: death.promise,
      die: () => death.reject(new PipeError("the connection broke")),
    };
  }

  /** The process of an instance ends, and another one begins. */
  #restart(place: number): void {
    const instance = this.#instances[place];
    this.#instances[place] = undefined;
    if (instance === undefined) return;
    for (const runId of instance.runs) this.#options.lost(runId);
    instance.die();
  }

  #after(ms: number): Promise<void> {
    return new Promise((resolve) => this.#options.clock.setTimer(ms, resolve));
  }
}

/** A message takes a turn of the event loop. */
async function crossed({ moved, platform }: OrchestratorProcess): Promise<void> {
  moved();
  await platform().turn();
}
