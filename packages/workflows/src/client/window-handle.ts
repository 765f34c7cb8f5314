/**
 * The window of a workflow with debounce or batch, for one key.
 *
 * Owns: the routes of one window.
 */
import { type WindowRecord, toSegment } from "@holdfast/protocol";
import { given } from "./options.ts";
import { type Transport, oneAct } from "./transport.ts";
import type { CallOptions } from "./types.ts";

export class WindowHandle {
  readonly workflowId: string;
  readonly key: string | undefined;
  readonly #transport: Transport;

  constructor(transport: Transport, workflowId: string, key: string | undefined) {
    this.#transport = transport;
    this.workflowId = workflowId;
    this.key = key;
  }

  /**
   * Reads the run that the triggers become, and when it starts (WIN6).
   * @throws ApiError `not_found`: no trigger waits
   */
  get(options: CallOptions = {}): Promise<WindowRecord> {
    return this.#send("GET", "", options);
  }

  /** Closes the window and starts its run now. */
  fire(options: CallOptions = {}): Promise<WindowRecord> {
    return this.#send("POST", "/fire", options, {});
  }

  /** Closes the window and forgets its triggers. The run never exists. */
  cancel(options: CallOptions = {}): Promise<WindowRecord> {
    return this.#send("POST", "/cancel", options, {});
  }

  async #send(method: "GET" | "POST", action: string, options: CallOptions, body?: object): Promise<WindowRecord> {
    const { signal } = given(options, "call", "window");
    const place = [this.workflowId, ...(this.key === undefined ? [] : [this.key])].map(toSegment).join("/");
    const path = `/api/windows/${place}${action}`;
    const answer = await this.#transport.send({
      method,
      path,
      body,
      signal,
      headers: oneAct(method),
      answer: ["workflowId", "runId"],
    });
    return answer.body as WindowRecord;
  }
}
