/**
 * `testWorld`: many runs in memory, which share virtual time, limits, windows, schedules and events.
 *
 * Owns: the options, and the actions of a test on the world. The runs, gates, windows, schedules and topics are the real ones: only
 * storage and time are replaced.
 */
import {
  type DecidingWorkflow,
  type StoredEvent,
  type WindowCommand,
  decideEvent,
  declarationsOf,
  gateAddress,
  keyOf,
  readDeclaration,
  readInput,
  storedKey,
  windowAddress,
} from "@holdfast/orchestrator";
import {
  type AcceptedEvent,
  type DeclaredSchedule,
  type Duration,
  HOST_LIMITS,
  HoldfastError,
  type LimitRecord,
  type ScheduleRecord,
  type WindowRecord,
  checkFields,
  decodeValue,
  defined,
  encodeValue,
} from "@holdfast/protocol";
import { type EventDefinition, keyToSend } from "../authoring/event.ts";
import type { InputArguments } from "../authoring/types.ts";
import type { Workflow } from "../authoring/workflow.ts";
import { checkPlatform } from "../platform-check.ts";
import { MemoryHost } from "./memory-host/memory-host.ts";
import { startRun } from "./start-run.ts";
import { TestRun } from "./test-run.ts";
import { PATIENCE_MS, type TestOptions, type TestResult, mockOf, resultOf } from "./test-workflow.ts";
import { VirtualClock } from "./virtual-clock.ts";

export interface WorldOptions extends Pick<TestOptions, "steps" | "compensations" | "patienceMs"> {
  /** The workflows that are served. */
  readonly workflows: readonly Workflow[];
  /** The schedules that the code declares. They begin at `startAt`. */
  readonly schedules?: readonly DeclaredSchedule[] | undefined;
  /** The first moment of virtual time. Default: 2026-01-01T00:00:00Z. */
  readonly startAt?: Date | undefined;
}

export interface WorldEventOptions {
  /** Default: that of the definition. */
  readonly key?: string | undefined;
  /** The same id has no effect again. Default: a new one. */
  readonly id?: string | undefined;
  /** When it happened. For filters: it decides no order. */
  readonly at?: Date | undefined;
}

export interface WorldStartOptions {
  /** The same key has no effect again: it gives the run of the first start. With debounce or batch: within a window. */
  readonly idempotencyKey?: string | undefined;
}

/** A run of the world and its result so far. */
export interface WorldResult<Output = unknown> extends TestResult<Output> {
  readonly id: string;
  readonly workflowId: string;
  readonly input: unknown;
}

const FIELDS = "workflows schedules startAt steps compensations patienceMs".split(" ");

/** The object with which the world begins. No run has this id. */
const HUB = "(world)";

/**
 * Creates a world without runs.
 * @throws HoldfastError `INVALID_ARGUMENT` for an unknown option, or an invalid schedule.
 */
export function testWorld(options: WorldOptions): TestWorld {
  checkPlatform();
  checkFields(options, FIELDS, "testWorld");
  return new TestWorld(options);
}

export class TestWorld {
  readonly #all = new Map<string, MemoryHost>();
  readonly #hub: MemoryHost;
  readonly #options: WorldOptions;
  readonly #shared: Omit<ConstructorParameters<typeof MemoryHost>[0], "runId">;
  #started = 0;
  #events = 0;

  constructor(options: WorldOptions) {
    const clock = new VirtualClock(options.startAt?.getTime());
    const { workflows } = options;
    const shared = {
      workflows,
      clock,
      rev: 1,
      replaceBody: (kind: string, name: string) => mockOf(options, kind, name),
    };
    this.#options = options;
    this.#hub = new MemoryHost({ ...shared, world: this.#all, runId: HUB });
    this.#shared = { ...shared, world: this.#all, coordinators: this.#hub.coordinators };
    this.#declare(options.schedules ?? []);
  }

  #declare(schedules: readonly DeclaredSchedule[]): void {
    const configs = schedules.map((one) => readDeclaration(one, "testWorld.schedules"));
    const unserved = configs.find(({ workflowId }) => !this.#options.workflows.some(({ id }) => id === workflowId));
    if (unserved !== undefined)
      throw failure(`the schedule ${JSON.stringify(unserved.id)} starts a workflow that is not in workflows. Add it.`);
    const sync = { type: "sync", schedules: configs, rev: 1, force: false, dryRun: false, environment: "test" };
    if (configs.length > 0) this.#command({ kind: "schedules", name: "list" }, sync);
  }

  /** The virtual time. */
  get now(): Date {
    return new Date(this.#hub.clock.now());
  }

  /**
   * Starts a run. It executes until it waits for time, for a limit, or for something from outside. With debounce or batch this is
   * the run that the window starts: it does not exist until then, and its status is `pending`. If a limit with
   * `onFull: "skip"` is full, this is the run that holds it.
   * @throws ApiError as the API answers: `limit_full`, `limit_key_invalid`, `body_too_large`, `idempotency_conflict`, …
   */
  async start<Input>(
    definition: Workflow<Input>,
    ...[input, options = {}]: InputArguments<NoInfer<Input>, WorldStartOptions>
  ): Promise<TestRun> {
    checkFields(options, ["idempotencyKey"], "start");
    this.#started += 1;
    const served = this.#options.workflows.find(
      ({ id, version }) => id === definition.id && version === definition.version,
    );
    const newId = `run-${this.#started}`;
    const host = await startRun(
      (id) => this.#hostOf(id),
      served ?? notServed(definition),
      input,
      newId,
      options.idempotencyKey,
    );
    await this.#hub.settle();
    return this.#runOf(host);
  }

  /** Sends an event: it starts runs by their triggers, and reaches waits for its key (EVT1). */
  async sendEvent<T>(
    sent: EventDefinition<T> | string,
    data: NoInfer<T>,
    { key, id, at }: WorldEventOptions = {},
  ): Promise<AcceptedEvent> {
    this.#events += 1;
    const [name, ownKey] =
      typeof sent === "string" ? [sent, key] : [sent.name, keyToSend(sent, data, key, "sendEvent")];
    const workflows = this.#options.workflows.map(({ id: one, version, flow }): DecidingWorkflow => ({
      ...flow,
      id: one,
      version,
    }));
    const event: StoredEvent = defined({
      id: id ?? `event-${this.#events}`,
      name,
      data: encodeValue(data, "data"),
      key: ownKey,
      at: at?.getTime(),
    });
    // The check of the data is that of `ctx.sendEvent` (EVT16).
    for (const declared of declarationsOf(name, workflows)) keyToSend(declared, data, name, "sendEvent");
    const found = keyOf(event, workflows);
    if ("problem" in found) throw failure(`sendEvent: key: ${found.problem}.`);
    const keyed: StoredEvent = { ...event, key: found.key };
    const decision = decideEvent(keyed, workflows);
    const origin = { by: "test", environment: "test" };
    const answer = this.#command({ kind: "event", name: keyed.id }, { type: "accept", event: keyed, decision, origin });
    await this.#hub.settle();
    return answer as AcceptedEvent;
  }

  /** Advances virtual time: timers and ticks fire in their order. */
  advance(duration: Duration): Promise<void> {
    return this.#runOf(this.#hub).advance(duration);
  }

  /** The runs so far, in the order of their creation: also those that schedules, events and parents started. */
  runs(definition?: Pick<Workflow, "id">): TestRun[] {
    return this.#hosts(definition).map((host) => this.#runOf(host));
  }

  /** The results so far of the runs, in the order of their creation. A run that has not ended has no output. */
  results<Output>(definition: Workflow<unknown, Output>): WorldResult<Output>[];
  results(definition?: Pick<Workflow, "id">): WorldResult[];
  results(definition?: Pick<Workflow, "id">): WorldResult[] {
    return this.#hosts(definition).map((host) => {
      const { id, workflowId, createdAt } = host.header;
      return {
        ...resultOf(host, this.#runOf(host), createdAt),
        id,
        workflowId,
        input: decodeValue(readInput(host.host.state, host.header)),
      };
    });
  }

  /** A schedule: its next times, and its newest ticks. */
  schedule(id: string): ScheduleRecord {
    const record = this.#command({ kind: "schedule", name: id }, { type: "read", limit: HOST_LIMITS.scheduleTicks });
    if (isRefused(record)) throw failure(`there is no schedule ${JSON.stringify(id)}.`);
    // A cast: the object of a schedule answers so.
    return (record as { readonly schedule: ScheduleRecord }).schedule;
  }

  /** A limit, for one key: who holds it, and who waits. `undefined`: no run needed it for a minute. */
  limit(name: string, key?: string): LimitRecord | undefined {
    const record = this.#command(gateAddress(name, key === undefined ? undefined : storedKey(key)), { type: "read" });
    return isRefused(record) ? undefined : (record as LimitRecord);
  }

  /**
   * The window of a workflow with debounce or batch, for one key; `undefined`: no trigger waits. `fire` starts its run now, `cancel`
   * forgets its triggers.
   */
  async window(
    definition: Pick<Workflow, "id">,
    key?: string,
    act: WindowCommand["type"] = "read",
  ): Promise<WindowRecord | undefined> {
    const stored = key === undefined ? undefined : storedKey(key);
    const record = this.#command(windowAddress(definition.id, stored), { type: act });
    await this.#hub.settle();
    if (isRefused(record)) return undefined;
    // A cast: a window answers so.
    return { workflowId: definition.id, ...defined({ key }), ...(record as Omit<WindowRecord, "workflowId">) };
  }

  #command(to: ReturnType<typeof gateAddress>, command: object): unknown {
    return this.#hub.coordinators.get(to).command(command);
  }

  #hosts(definition?: Pick<Workflow, "id">): MemoryHost[] {
    const all = [...this.#all.values()].filter(({ triggered }) => triggered);
    return definition === undefined ? all : all.filter(({ header }) => header.workflowId === definition.id);
  }

  #hostOf(runId: string): MemoryHost {
    return this.#all.get(runId) ?? new MemoryHost({ ...this.#shared, runId });
  }

  #runOf(host: MemoryHost): TestRun {
    return new TestRun(host, this.#options.patienceMs ?? PATIENCE_MS);
  }
}

/** The start is refused: what the definition says about windows has no effect. */
function notServed({ id, version }: Workflow): Pick<Workflow, "id" | "version"> {
  return defined({ id, version });
}

function isRefused(reply: unknown): boolean {
  return typeof reply === "object" && reply !== null && "type" in reply && reply.type === "refused";
}

function failure(text: string): HoldfastError {
  return new HoldfastError("INVALID_ARGUMENT", `testWorld: ${text}`);
}
