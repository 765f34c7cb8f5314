/**
 * The client of the HTTP API, for browsers, Workers, Node, Deno and Bun.
 *
 * Owns: what is about no single run: triggering, listing, acting on many.
 */
import type { BulkAnswer, ListedRun, RunRecord, WorkflowDescription as WorkflowInfo } from "@holdfast/protocol";
import type { Workflow } from "../authoring/workflow.ts";
import { RunHandle } from "./run-handle.ts";
import { type ApiRequest, type ClientOptions, Transport } from "./transport.ts";
import type { BulkOptions, CallOptions, ListOptions, TriggerOptions } from "./types.ts";

/** What a workflow takes. */
export type InputOf<W> = W extends Workflow<infer Input, infer _Output> ? Input : unknown;
/** What a workflow comes to. */
export type OutputOf<W> = W extends Workflow<infer _Input, infer Output> ? Output : unknown;

/** A workflow's handle, which carries its types, or its id. */
type Named = string | { readonly id: string; readonly version?: string };

export class Client {
  readonly #transport: Transport;

  constructor(options: ClientOptions) {
    this.#transport = new Transport(options);
  }

  /**
   * Starts a run. Safe to repeat: a request whose answer was lost makes no second one.
   * @throws ApiError `workflow_not_found`, `idempotency_conflict`, …
   */
  async trigger<W extends Named>(
    workflow: W,
    input?: W extends string ? unknown : InputOf<W>,
    { signal, traceparent, ...options }: TriggerOptions = {},
  ): Promise<RunHandle<W extends string ? unknown : OutputOf<W>>> {
    const { id, version } =
      typeof workflow === "string" ? { id: workflow, version: undefined } : (workflow as Named & object);
    const own = options.runId === undefined && options.idempotencyKey === undefined;
    const body = {
      workflowId: id,
      workflowVersion: version,
      idempotencyKey: own ? crypto.randomUUID() : undefined,
      ...options,
      input,
    };
    const headers = traceparent === undefined ? {} : { traceparent };
    const run = await this.#ask<RunRecord>({ method: "POST", path: "/api/runs", body, headers, signal });
    return new RunHandle(this.#transport, run.id);
  }

  /** A run that is there already. `workflow`, if given, says what its result is. */
  run<W extends Named = Named>(id: string, _workflow?: W): RunHandle<OutputOf<W>> {
    return new RunHandle(this.#transport, id);
  }

  /** One page of the list. It may hold fewer runs than `limit` although there are more. */
  list({ signal, ...query }: ListOptions = {}): Promise<{ runs: ListedRun[]; nextCursor: string | null }> {
    return this.#ask({ method: "GET", path: "/api/runs", query, signal });
  }

  /** All runs of the list; pages are read when they are wanted. */
  async *all(options: ListOptions = {}): AsyncGenerator<ListedRun, void> {
    for (let cursor = options.cursor; ;) {
      const page = await this.list({ ...options, ...(cursor === undefined ? {} : { cursor }) });
      yield* page.runs;
      if (page.nextCursor === null) return;
      cursor = page.nextCursor;
    }
  }

  /** Cancels or retries up to a hundred runs. */
  bulk({ signal, ...body }: BulkOptions): Promise<BulkAnswer> {
    return this.#ask({ method: "POST", path: "/api/runs/bulk", body, signal });
  }

  /** Has up to a hundred runs tell the index anew. */
  rebuildIndex(
    body: { readonly runIds?: readonly string[]; readonly objectIds?: readonly string[] },
    { signal }: CallOptions = {},
  ): Promise<{ told: number; unknown: number }> {
    return this.#ask({ method: "POST", path: "/api/index/rebuild", body, signal });
  }

  /** What the deployment serves. */
  async workflows({ signal }: CallOptions = {}): Promise<WorkflowInfo[]> {
    return (await this.#ask<{ workflows: WorkflowInfo[] }>({ method: "GET", path: "/api/workflows", signal }))
      .workflows;
  }

  /** Whether the API answers at all. */
  async healthy({ signal }: CallOptions = {}): Promise<boolean> {
    return (await this.#ask<{ ok: boolean }>({ method: "GET", path: "/healthz", signal })).ok;
  }

  async #ask<T>(request: ApiRequest): Promise<T> {
    return (await this.#transport.ask(request)).body as T;
  }
}

/** A client for one deployment. Nothing is sent before it is asked for something. */
export function createClient(options: ClientOptions): Client {
  return new Client(options);
}
