/**
 * The run's object: carries out what the Worker asks, and answers it.
 *
 * Owns: one `RunHost` for each object instance. State in memory belongs to the instance, not to a request, so it is
 * found by the storage object; the handlers get fresh `deps` each time.
 */
import { type JournalEntry, LIMITS, type StepDispatcher } from "@holdfast/protocol";
import {
  type Input,
  JOURNAL_PREFIX,
  type Reply,
  type RunHeader,
  RunHost,
  describeEntry,
  describeRun,
  journalKey,
  planResume,
  readInput,
  readJournal,
  summarizeRun,
} from "@holdfast/orchestrator";
import { ApiRefusal } from "./api/refusals.ts";
import { DurableObjectStore } from "./durable-object-store.ts";
import type { DurableObjectStorageLike } from "./platform-types.ts";
import type { ResumePlan, RunCommand } from "./run-commands.ts";

export interface RunObjectDeps {
  /** `ctx.storage` of an SQLite-backed Durable Object. */
  readonly storage: DurableObjectStorageLike;
  readonly dispatcher: StepDispatcher;
  /** For tests: the time, ms since the epoch. */
  readonly clock?: () => number;
}

/** How long an alarm stays in flight for the run that it woke, so that an object that dies then is woken again soon. */
const ALARM_HOLD_MS_MAX = 1_000;

const objects = new WeakMap<DurableObjectStorageLike, RunObject>();

/** The one instance for this storage. */
export function runObjectOf(deps: RunObjectDeps): RunObject {
  let object = objects.get(deps.storage);
  if (object === undefined) {
    object = new RunObject(deps);
    objects.set(deps.storage, object);
  }
  object.useDispatcher(deps.dispatcher);
  return object;
}

type CommandOf<C extends RunCommand["command"]> = RunCommand & { command: C };

export class RunObject {
  readonly #host: RunHost;
  readonly #store: DurableObjectStore;
  readonly #clock: () => number;
  readonly #watchers = new Set<() => void>();
  #dispatcher: StepDispatcher;

  constructor({ storage, dispatcher, clock = () => Date.now() }: RunObjectDeps) {
    this.#dispatcher = dispatcher;
    this.#clock = clock;
    this.#store = new DurableObjectStore(storage, logError);
    this.#host = new RunHost({
      store: this.#store,
      dispatcher,
      clock,
      onChange: () => {
        for (const watcher of this.#watchers) watcher();
      },
      onError: logError,
    });
  }

  useDispatcher(dispatcher: StepDispatcher): void {
    this.#dispatcher = dispatcher;
    this.#host.useDispatcher(dispatcher);
  }

  async handle(command: RunCommand): Promise<Response> {
    switch (command.command) {
      case "trigger":
        return this.#trigger(command);
      case "read":
        return Response.json(this.#describe(this.#header()));
      case "journal":
        return this.#journal(command);
      case "planResume":
        return this.#planResume(command);
      case "noteResumed":
        return this.#answer({ type: "noteResumed", runId: command.runId });
      case "deliver": {
        const { kind, name, payload, deliveryId } = command;
        return this.#answer({ type: "deliver", kind, name, payload, deliveryId });
      }
      case "resolveToken":
        return this.#answer({ type: "resolveToken", tokenId: command.tokenId, payload: command.payload });
      case "cancel":
        return this.#answer({ type: "cancel", reason: command.reason });
      case "workflows":
        return Response.json({ workflows: await this.#dispatcher.workflows() });
    }
  }

  /** The alarm: settles what is due, and holds on for a moment while the run goes on. */
  async alarm(): Promise<void> {
    this.#host.handle({ type: "alarm" });
    const { header } = this.#host.state;
    if (header === undefined) return;
    const due = Math.min(
      ...header.waits.map((wait) => wait.wakeAt ?? Infinity),
      ...header.retries.map((retry) => retry.at),
    );
    await this.#untilQuiet(Math.min(ALARM_HOLD_MS_MAX, Math.max(due - this.#clock(), 0)));
  }

  async #trigger({ trigger, waitMs }: CommandOf<"trigger">): Promise<Response> {
    const { workflowId, workflowVersion } = trigger;
    const described = this.#dispatcher.describe?.(workflowId, workflowVersion);
    if (described === null && this.#host.state.header === undefined)
      throw await this.#unknownWorkflow(workflowId, workflowVersion);
    const reply = this.#host.handle({
      ...trigger,
      type: "trigger",
      seed: randomSeed(),
      workflowVersion: workflowVersion ?? described?.version,
      tags: [...new Set([...(described?.tags ?? []), ...trigger.tags])],
      timeoutMs: trigger.timeoutMs ?? described?.timeoutMs,
    });
    if (reply.type === "refused") throw refusal(reply);
    if (waitMs > 0) await this.#untilQuiet(waitMs);
    return Response.json(this.#describe(this.#header()), { status: reply.type === "created" ? 201 : 200 });
  }

  async #unknownWorkflow(workflowId: string, version: string | undefined): Promise<ApiRefusal> {
    const served = await this.#dispatcher.workflows();
    const names = served.map(
      (one) => JSON.stringify(one.id) + (one.version === undefined ? "" : ` (version ${one.version})`),
    );
    const which = version === undefined ? "" : ` in version ${JSON.stringify(version)}`;
    return new ApiRefusal(
      "workflow_not_found",
      `No workflow ${JSON.stringify(workflowId)}${which} is served here. Served are: ${names.slice(0, 50).join(", ") || "none"}.`,
    );
  }

  #journal({ after, limit }: CommandOf<"journal">): Response {
    this.#header();
    const rows = [...this.#store.list(JOURNAL_PREFIX, { after: journalKey(after), limit: limit + 1 })];
    const entries = rows.slice(0, limit).map(([, row]) => row as JournalEntry);
    const nextAfter = rows.length > limit ? entries.at(-1)?.seq : undefined;
    return Response.json({ entries: entries.map(describeEntry), nextAfter: nextAfter ?? null });
  }

  #planResume({ request }: CommandOf<"planResume">): Response {
    const header = this.#header();
    const { state } = this.#host;
    const inherited = planResume(header, readJournal(state), request);
    if ("type" in inherited) throw refusal(inherited);
    const { workflowId, workflowVersion, environment, tags, tenantMeta, timeoutMs } = header;
    const input = readInput(state, header);
    const plan: ResumePlan = {
      inherited,
      workflowId,
      workflowVersion,
      input,
      environment,
      tags,
      tenantMeta,
      timeoutMs,
    };
    return Response.json(plan);
  }

  /** Applies an input and answers with what became of the run. */
  #answer(input: Input): Response {
    this.#header();
    const reply = this.#host.handle(input);
    if (reply.type === "refused") throw refusal(reply);
    const run = summarizeRun(this.#header());
    const body = reply.type === "delivered" ? { delivery: reply.delivery, run } : { run };
    return Response.json(body, { status: 202 });
  }

  #header(): RunHeader {
    const { header } = this.#host.state;
    if (header === undefined) throw new ApiRefusal("not_found", "There is no such run.");
    return header;
  }

  #describe(header: RunHeader): Record<string, unknown> {
    const { state } = this.#host;
    const rows = [...this.#store.list(JOURNAL_PREFIX, { limit: LIMITS.recordSteps + 1 })];
    const journal = rows.map(([, row]) => row as JournalEntry);
    return describeRun(header, readInput(state, header), journal, this.#host.stepsInProgress());
  }

  /** Resolves when the run is no longer running, or after `ms`. */
  async #untilQuiet(ms: number): Promise<void> {
    if (this.#host.state.header?.status !== "running" || ms <= 0) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#watchers.delete(watcher);
        resolve();
      };
      const watcher = (): void => {
        if (this.#host.state.header?.status !== "running") done();
      };
      const timer = setTimeout(done, ms);
      this.#watchers.add(watcher);
    });
  }
}

function refusal(reply: Reply & { type: "refused" }): ApiRefusal {
  return new ApiRefusal(reply.code, reply.message);
}

function randomSeed(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function logError(error: unknown): void {
  console.error("holdfast: the run's storage failed; the run goes on from its journal", error);
}
