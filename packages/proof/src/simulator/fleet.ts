/**
 * Step handlers that hold executions between turns: the real code of both ends of this pipe, in virtual time.
 *
 * Owns: the instances of the handler, the route of each request, and what happens to requests and answers. An instance that
 * restarts has forgotten its sessions, and the code in it never reports again.
 */
import { type LiveExecution, type TurnAnswer, type TurnRequest, WorkflowIndex } from "@holdfast/protocol";
import {
  ConnectedTurns,
  Connections as OpenConnections,
  PipeError,
  type TurnCarrier,
  TurnExecution,
} from "@holdfast/orchestrator-cloudflare/turns";
import type { Workflow } from "@holdfast/workflows";
import { Connections, type TurnReply, TurnServer } from "@holdfast/workflows/turns";
import type { OrchestratorProcess, RemotePipe, VirtualClock } from "@holdfast/workflows/testing";
import type { FrameFault, HandlerBounds, TurnFault } from "./pipes.ts";
import { crossed, openWires } from "./wires.ts";

export interface FleetOptions {
  readonly workflows: readonly Workflow[];
  readonly clock: VirtualClock;
  /** Returns the fault of the next request. */
  readonly fault: () => TurnFault | undefined;
  /** Returns the fault of the next upgrade or frame. */
  readonly frameFault: () => FrameFault | undefined;
  /** An execution of this run is lost. */
  readonly lost: (runId: string) => void;
}

const INSTANCES = 2;
/** The delay of a late request, ms. */
export const LATE_MS = 3_000;

interface Instance {
  readonly server: TurnServer;
  readonly connections: Connections;
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
  /** Those of the process of the orchestrator. */
  readonly #connections = new OpenConnections();
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
    return new TurnExecution(start, own, this.#carrier(from), time);
  }

  #carrier(from: OrchestratorProcess): TurnCarrier {
    const post: TurnCarrier["post"] = (request) => from.leave(() => this.#carry(request, from));
    const { connectionsMax: max, connectAfter: after = 0 } = this.#bounds;
    if (max === undefined) return { post };
    const { clock, frameFault: fault } = this.#options;
    const open = openWires({
      fault,
      from,
      late: () => this.#after(LATE_MS),
      reach: (session, elsewhere) => this.#reach(this.#placeOf(session, elsewhere), from),
    });
    const time = { now: () => clock.now(), setTimer: (ms: number, act: () => void) => clock.setTimer(ms, act) };
    return new ConnectedTurns(post, {
      open,
      connections: this.#connections,
      url: "fleet",
      max,
      after,
      name: "fleet",
      time,
    });
  }

  #reach(place: number, from: OrchestratorProcess): Instance & { readonly restart: () => void } {
    const instance = (this.#instances[place] ??= this.#boot(from));
    instance.runs.add(from.runId);
    return { ...instance, restart: () => this.#restart(place) };
  }

  async #carry(request: TurnRequest, from: OrchestratorProcess): Promise<TurnAnswer> {
    await crossed(from);
    const fault = this.#options.fault();
    const place = this.#placeOf(request.session, fault === "elsewhere");
    if (fault === "lost") throw new PipeError("the request was lost");
    if (fault === "late") await this.#after(LATE_MS);
    if (fault === "restart") this.#restart(place);
    // What the first turn may have begun at the right instance can no longer be reached: no answer named that instance.
    if (fault === "elsewhere" && request.start !== undefined) this.#options.lost(from.runId);
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

  #placeOf(session: string, elsewhere: boolean): number {
    let place = this.#routes.get(session);
    if (place === undefined) {
      place = this.#routes.size % INSTANCES;
      this.#routes.set(session, place);
    }
    return elsewhere ? (place + 1) % INSTANCES : place;
  }

  #boot(from: OrchestratorProcess): Instance {
    const { clock } = this.#options;
    const { holdMs, stateless, connectionsMax = 0, connectAfter: _, ...limits } = this.#bounds;
    // A process takes a moment to start: it is younger than a frame whose answer its predecessor did not send.
    const bootedAt = clock.now() + (connectionsMax === 0 ? 0 : 1);
    const death = Promise.withResolvers<never>();
    death.promise.catch(() => {});
    const upMs = (): number => clock.now() - bootedAt;
    const platform = from.platform();
    const server = new TurnServer(this.#index, { platform, holdMs, stateless, limits, upMs });
    return {
      server,
      connections: new Connections(server, platform, stateless ? 0 : connectionsMax),
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
