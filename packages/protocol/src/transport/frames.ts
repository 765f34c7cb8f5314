/**
 * Numbered frames over a connection between an orchestrator and a step handler, whichever of the two opened it.
 *
 * Owns: the form of a frame, `<number> <text>` or `<number> <MAC> <text>`, and what makes one invalid. Each side numbers
 * the frames that it sends from 1. The caller gives meaning to the text.
 *
 * Invariants
 * - F1 A frame is taken only if its number follows that of the last one: a frame that is repeated, missing or out of order
 *   ends the connection.
 * - F2 With a key, a frame is taken only with the MAC of its sender's side, number and text (SEC3).
 */
import { fromHex, toHex } from "../hex.ts";
import { HOST_LIMITS } from "../limits.ts";
import { importKey } from "./signing.ts";

/** The part of a host's socket that sends. */
export interface FrameSocket {
  /** Sends a text frame. May throw when the connection is gone. */
  send(text: string): void;
  /** Ends the connection. May throw when it is gone. */
  close(code: number, reason: string): void;
}

/** Which side a frame comes from. */
export type FrameSide = "orchestrator" | "execution";

export interface FrameEvents {
  /** A valid frame has arrived. */
  take(text: string, number: number): void;
  /** An invalid frame has arrived, or a frame cannot be sent. Nothing is taken afterwards. */
  broken(why: string): void;
}

const OTHER: Readonly<Record<FrameSide, FrameSide>> = { orchestrator: "execution", execution: "orchestrator" };

const MAC_CHARS = 64;

/** The longest frame: its text, the MAC, the number, and two blanks. */
const CHARS_MAX = HOST_LIMITS.frameChars + MAC_CHARS + 32;

export class Frames {
  readonly #socket: FrameSocket;
  readonly #side: FrameSide;
  readonly #key: CryptoKey | undefined;
  readonly #events: FrameEvents;
  #sent = 0;
  #received = 0;
  #over = false;
  /** With a key, frames wait for the MACs of those before. */
  #sending: Promise<void> = Promise.resolve();
  #receiving: Promise<void> = Promise.resolve();

  /** `side`: the side that sends through this object. `key`: see `frameKey`. */
  constructor(socket: FrameSocket, side: FrameSide, key: CryptoKey | undefined, events: FrameEvents) {
    this.#socket = socket;
    this.#side = side;
    this.#key = key;
    this.#events = events;
  }

  /** Sends a frame, and returns its number. */
  send(text: string): number {
    const number = ++this.#sent;
    const key = this.#key;
    if (key === undefined) this.#write(`${number} ${text}`);
    else
      this.#sending = this.#sending
        .then(async () => {
          const mac = await crypto.subtle.sign("HMAC", key, macText(this.#side, number, text));
          this.#write(`${number} ${toHex(new Uint8Array(mac))} ${text}`);
        })
        .catch((error: unknown) => this.#break(String(error)));
    return number;
  }

  /** Takes a frame that the host's socket has received. */
  receive(frame: unknown): void {
    if (this.#over) return;
    const number = ++this.#received;
    const start = `${number} `;
    if (typeof frame !== "string" || !frame.startsWith(start))
      return this.#break(`frame ${number} is missing, or it is no text`);
    // Not every host has a limit of its own.
    if (frame.length > CHARS_MAX) return this.#break(`frame ${number} has more than ${CHARS_MAX} characters`);
    const key = this.#key;
    if (key === undefined) return this.#events.take(frame.slice(start.length), number);
    this.#receiving = this.#receiving
      .then(() => this.#verify(key, frame, number, start.length))
      .catch((error: unknown) => this.#break(String(error)));
  }

  /** Sends nothing, and takes nothing, from now on. */
  end(): void {
    this.#over = true;
  }

  async #verify(key: CryptoKey, frame: string, number: number, at: number): Promise<void> {
    const hex = frame.slice(at, at + MAC_CHARS);
    const text = frame.slice(at + MAC_CHARS + 1);
    const isHex = /^[0-9a-f]{64} $/.test(frame.slice(at, at + MAC_CHARS + 1));
    // `verify` compares in constant time.
    const fits =
      isHex && (await crypto.subtle.verify("HMAC", key, fromHex(hex), macText(OTHER[this.#side], number, text)));
    if (this.#over) return;
    if (fits) this.#events.take(text, number);
    else this.#break(`the MAC of frame ${number} does not match`);
  }

  #write(frame: string): void {
    if (this.#over) return;
    try {
      this.#socket.send(frame);
    } catch (error) {
      this.#break(String(error));
    }
  }

  #break(why: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#events.broken(why);
  }
}

/** Whether a text fits into one frame. A larger one is sent as a turn. */
export function fitsFrame(text: string): boolean {
  return text.length <= HOST_LIMITS.frameChars;
}

function macText(side: FrameSide, number: number, text: string): Uint8Array<ArrayBuffer> {
  return encode(`${side}\n${number}\n${text}`);
}

/**
 * Returns the key of the MACs of one connection. Only the two sides that hold the signing key can derive it.
 * @param signature The signature header of the upgrade, which is different for each connection.
 */
export async function frameKey(signingKey: string, signature: string): Promise<CryptoKey> {
  const secret = await importKey(signingKey, "sign");
  const bytes = await crypto.subtle.sign("HMAC", secret, encode(`holdfast-frames-v1\n${signature}`));
  return crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"]);
}

/** The query of an upgrade whose connection carries MACs. It is part of the signed path, so nobody on the way removes it. */
export const MAC_QUERY = "frames=mac";

/** Whether frames need MACs: others may read and change what is sent without TLS, except to this machine. */
export function needsMac({ protocol, hostname }: Pick<URL, "protocol" | "hostname">): boolean {
  if (protocol === "https:" || protocol === "wss:") return false;
  return !(/^127(\.\d{1,3}){3}$/.test(hostname) || hostname === "[::1]" || /(^|\.)localhost$/.test(hostname));
}

function encode(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}
