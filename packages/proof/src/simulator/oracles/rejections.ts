/**
 * Oracle on rejections: no promise of a simulation is rejected without a handler, because that ends a Node process (REP7).
 * Promises that a program leaves unawaited are its own: the engine's listener must know the run that they belong to.
 */
import type { Finding } from "./finding.ts";

/** What the copies of the engine share in one process. */
interface SharedScope {
  readonly places: { getStore(): { readonly run: object } | undefined };
  readonly errors: WeakMap<object, object>;
}

const SCOPE = Symbol.for("@holdfast/workflows/scope/1");

export class UnhandledRejections {
  readonly #findings: Finding[] = [];
  readonly #listener: (reason: unknown) => void;

  /** `leavesRejections`: programs leave rejections of their own promises without a handler. */
  constructor(leavesRejections: boolean) {
    this.#listener = (reason) => {
      if (leavesRejections && isTakenByEngine(reason)) return;
      const text = reason instanceof Error ? (reason.stack ?? reason.message) : String(reason);
      this.#findings.push({ oracle: "rejections", text: `a rejection has no handler: ${text}` });
    };
    process.on("unhandledRejection", this.#listener);
  }

  /** Stops to listen, after one more turn of the event loop. Returns what was found. */
  async end(): Promise<readonly Finding[]> {
    await new Promise((resolve) => setImmediate(resolve));
    process.off("unhandledRejection", this.#listener);
    return this.#findings;
  }
}

/** Whether the listener of the engine is installed, and knows the run of this rejection. */
function isTakenByEngine(reason: unknown): boolean {
  const { places, errors } = (process as unknown as Record<symbol, SharedScope>)[SCOPE] ?? {};
  const known = places?.getStore() !== undefined || (typeof reason === "object" && errors?.has(reason ?? {}) === true);
  return known && process.listenerCount("unhandledRejection") > 1;
}
