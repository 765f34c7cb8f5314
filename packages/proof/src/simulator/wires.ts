/**
 * Connections between an orchestrator and the instances of a step handler, in virtual time.
 *
 * Owns: what happens to each frame. The sockets at both ends are those that the platforms have; the code that uses them is
 * the real one.
 */
import type { OpenConnection, SocketEvents } from "@holdfast/orchestrator-cloudflare/turns";
import type { OrchestratorProcess } from "@holdfast/workflows/testing";
import type { Connections } from "@holdfast/workflows/turns";
import type { FrameFault } from "./pipes.ts";

export interface WireOptions {
  /** Returns the fault of the next upgrade or frame. */
  readonly fault: () => FrameFault | undefined;
  readonly from: OrchestratorProcess;
  /** The instance that the upgrade reaches. `elsewhere`: another one than that of the session. */
  readonly reach: (session: string, elsewhere: boolean) => Place;
  /** Waits as long as a late frame takes. */
  readonly late: () => Promise<void>;
}

/** The instance at the other end. */
interface Place {
  readonly connections: Connections;
  /** Rejects when the process of the instance ends. */
  readonly died: Promise<never>;
  /** Ends the process of the instance. */
  readonly restart: () => void;
}

/** The outcome of an upgrade whose answer never arrives. */
const NEVER = new Promise<never>(() => {});

export function openWires(options: WireOptions): OpenConnection {
  return (session, events) => options.from.leave(() => upgrade(options, session, events));
}

async function upgrade(
  options: WireOptions,
  session: string,
  events: SocketEvents,
): Promise<Awaited<ReturnType<OpenConnection>>> {
  await crossed(options.from);
  const fault = options.fault();
  const place = options.reach(session, fault === "elsewhere");
  if (fault === "lost") throw new Error("the upgrade was lost");
  if (fault === "silent") return NEVER;
  if (fault === "late") await options.late();
  if (fault === "restart") place.restart();
  if (fault === "drain") place.connections.drain();
  if (fault === "refused" || place.connections.isFull) return "refused";
  const wire = new Wire(options, place, events);
  await crossed(options.from);
  return { socket: wire.socket, key: undefined };
}

/** Both ends of a connection. */
class Wire {
  readonly #options: WireOptions;
  readonly #place: Place;
  readonly #events: SocketEvents;
  readonly #host: ReturnType<Connections["accept"]>;
  #open = true;
  /** Frames vanish, and neither side learns it. */
  #silent = false;
  /** The frames in flight of each direction, in their order. */
  #toHandler: Promise<void> = Promise.resolve();
  #toOrchestrator: Promise<void> = Promise.resolve();

  constructor(options: WireOptions, place: Place, events: SocketEvents) {
    this.#options = options;
    this.#place = place;
    this.#events = events;
    const answer = (text: string): void => this.#carry(false, text);
    this.#host = place.connections.accept({ send: answer, close: () => this.#endOf(false) }, undefined);
    place.died.catch(() => this.#cut());
  }

  /** The end of the orchestrator. */
  readonly socket = {
    send: (text: string): void => this.#carry(true, text),
    close: (): void => this.#endOf(true),
  };

  #carry(toHandler: boolean, text: string): void {
    this.#queue(toHandler, async () => {
      const fault = this.#options.fault();
      if (fault === "late") await this.#options.late();
      if (fault === "silent") this.#silent = true;
      if (fault === "restart") return this.#place.restart();
      if (fault === "drain") this.#place.connections.drain();
      if (fault === "cut before") return this.#cut();
      if (fault !== "lost") this.#deliver(toHandler, text);
      if (fault === "twice") this.#deliver(toHandler, text);
      if (fault === "cut after") this.#cut();
    });
  }

  /** A message of the orchestrator leaves after the commits before it. None reaches a process that has ended. */
  #queue(toHandler: boolean, act: () => Promise<void>): void {
    const { from } = this.#options;
    const pass = async (): Promise<void> => {
      await crossed(from);
      if (this.#open && !this.#silent) await act();
    };
    const leave = (): Promise<void> => from.leave(pass);
    if (toHandler) this.#toHandler = this.#toHandler.then(leave);
    else this.#toOrchestrator = this.#toOrchestrator.then(leave);
  }

  #deliver(toHandler: boolean, text: string): void {
    if (!this.#open || this.#silent) return;
    if (toHandler) this.#host.onMessage(text);
    else this.#events.message(text);
  }

  /** One side ends the connection. The other side learns it after the frames that were sent before. */
  #endOf(byOrchestrator: boolean): void {
    this.#queue(byOrchestrator, async () => {
      this.#open = false;
      if (byOrchestrator) this.#host.onClose();
      else this.#events.closed(true);
    });
  }

  /** The connection breaks. */
  #cut(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#host.onClose();
    void this.#options.from.leave(async () => this.#events.closed(false));
  }
}

/** A message takes a turn of the event loop. */
export async function crossed({ moved, platform }: OrchestratorProcess): Promise<void> {
  moved();
  await platform().turn();
}
