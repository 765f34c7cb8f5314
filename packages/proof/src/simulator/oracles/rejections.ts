/**
 * Oracle on rejections: no promise of a simulation is rejected without a handler, because that ends a Node process (REP7).
 */
import type { Finding } from "./finding.ts";

export class UnhandledRejections {
  readonly #findings: Finding[] = [];
  readonly #listener = (reason: unknown): void => {
    const text = reason instanceof Error ? (reason.stack ?? reason.message) : String(reason);
    this.#findings.push({ oracle: "rejections", text: `a rejection has no handler: ${text}` });
  };

  constructor() {
    process.on("unhandledRejection", this.#listener);
  }

  /** Stops to listen, after one more turn of the event loop. Returns what was found. */
  async end(): Promise<readonly Finding[]> {
    await new Promise((resolve) => setImmediate(resolve));
    process.off("unhandledRejection", this.#listener);
    return this.#findings;
  }
}
