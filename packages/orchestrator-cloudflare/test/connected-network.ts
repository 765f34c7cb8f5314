/**
 * A network between a dispatcher and step handlers that carries connections too, and that a test can break.
 *
 * Owns: a pair of sockets for each upgrade, as the platforms of both sides have them. The code at both ends is the real one.
 */
import type { AcceptConnection, HostConnection } from "@holdfast/workflows/handler";
import { Network, URL_OF_HANDLER } from "./handler-network.ts";

export type Direction = "to handler" | "to orchestrator";

export interface Frame {
  readonly direction: Direction;
  readonly text: string;
}

/** What happens to a frame: these texts arrive in its place, or the connection breaks before or after it. */
export type FrameFault = readonly string[] | "cut before" | "cut after" | undefined;

type Listener = (event: { readonly data?: unknown; readonly code?: number }) => void;

/** Both ends of one connection. */
export class Wire {
  readonly #listeners = new Map<string, Listener[]>();
  readonly #fault: (frame: Frame) => FrameFault;
  readonly #ended: () => void;
  #host: HostConnection | undefined;
  isOpen = true;

  constructor(fault: (frame: Frame) => FrameFault, ended: () => void) {
    this.#fault = fault;
    this.#ended = ended;
  }

  /** The end of the orchestrator, as workerd has it. */
  readonly webSocket = {
    accept: () => {},
    addEventListener: (type: string, listener: Listener) =>
      void this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]),
    send: (text: string) => this.#carry({ direction: "to handler", text }),
    close: (code: number) => this.#close(() => this.#host?.onClose(), code),
  };

  /** Gives the handler its end. */
  connect(accept: AcceptConnection): void {
    this.#host = accept({
      send: (text) => this.#carry({ direction: "to orchestrator", text }),
      close: (code) => this.#close(() => this.#emit("close", { code })),
    });
  }

  /** Breaks the connection: both sides learn it without a close frame. */
  cut(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.#ended();
    setImmediate(() => {
      this.#host?.onClose();
      this.#emit("close", { code: 1006 });
    });
  }

  #carry(frame: Frame): void {
    if (!this.isOpen) throw new Error("the socket is closed");
    const fault = this.#fault(frame);
    if (fault === "cut before") return this.cut();
    for (const text of Array.isArray(fault) ? fault : [frame.text]) this.#deliver(frame.direction, text);
    if (fault === "cut after") setImmediate(() => setImmediate(() => this.cut()));
  }

  #deliver(direction: Direction, text: string): void {
    setImmediate(() => {
      if (!this.isOpen) return;
      if (direction === "to handler") this.#host?.onMessage(text);
      else this.#emit("message", { data: text });
    });
  }

  #close(reached: () => void, _code?: number): void {
    if (!this.isOpen) return;
    // Frames that were sent before arrive first.
    setImmediate(() => {
      if (!this.isOpen) return;
      this.isOpen = false;
      this.#ended();
      reached();
    });
  }

  #emit(type: string, event: Parameters<Listener>[0]): void {
    for (const listener of this.#listeners.get(type) ?? []) listener(event);
  }
}

export class ConnectedNetwork extends Network {
  readonly upgrades: Request[] = [];
  readonly frames: Frame[] = [];
  readonly wires = new Set<Wire>();
  /** Gets each frame with its number in all connections. */
  faultOf: (frame: Frame, number: number) => FrameFault = () => undefined;
  /** Gets each upgrade. A returned response is the answer. */
  refuses: (request: Request) => Response | Promise<Response> | undefined = () => undefined;
  override async answer(request: Request): Promise<Response> {
    if (request.headers.get("Upgrade") !== "websocket") return super.answer(request);
    this.upgrades.push(request);
    const refusal = this.refuses(request);
    if (refusal !== undefined) return refusal;
    const [handler] = this.handlers;
    const reply = await handler?.connect(request);
    if (reply === undefined || reply instanceof Response) return reply ?? new Response(null, { status: 502 });
    const wire: Wire = new Wire(
      (frame) => this.faultOf(frame, this.frames.push(frame)),
      () => this.wires.delete(wire),
    );
    this.wires.add(wire);
    wire.connect(reply);
    // No `Response` of Node has this status.
    return { status: 101, webSocket: wire.webSocket } as unknown as Response;
  }

  /** `url`: another one for each test, because a process remembers URLs that refused. */
  override deploy(...[more, object]: Parameters<Network["deploy"]>): ReturnType<Network["deploy"]> {
    urls += 1;
    const url = `https://steps-${urls}.example/holdfast`;
    return super.deploy({ url, audience: URL_OF_HANDLER, connectAfter: 0, ...more }, object);
  }
}

let urls = 0;
