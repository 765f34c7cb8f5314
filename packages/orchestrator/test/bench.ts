/** A run for the suites of this folder. Its executions do nothing, and the tests answer its messages. */
import {
  DEFAULT_LIMITS,
  ENCODED_UNDEFINED,
  type Limits,
  type ExecutionEvent,
  type ExecutionPort,
  type FlowOptions,
  type StepDispatcher,
} from "@holdfast/protocol";
import { MemoryStore } from "@holdfast/workflows/testing";
import {
  type ChildTrigger,
  type Deferral,
  type Description,
  type GateMessage,
  type IndexRow,
  RunHost,
  type RunMessage,
  type SendResult,
  type TriggerInput,
  checkedTransition,
  isToRun,
  toTriggerInput,
} from "../src/index.ts";

/** A host of one run whose executions do nothing. Tests answer the sent messages. */
export class Bench {
  readonly store = new MemoryStore();
  readonly sent: { readonly to: string; readonly message: RunMessage; readonly done: (result: SendResult) => void }[] =
    [];
  /** Messages to gates. */
  readonly toGates: {
    readonly to: string;
    readonly message: GateMessage;
    readonly done: (result: SendResult) => void;
  }[] = [];
  /** The flow control of the workflow. */
  flow: FlowOptions | undefined;
  /** The code is in another process, which is asked for descriptions. Tests answer. */
  describes = false;
  readonly asked: ((answer: Description) => void)[] = [];
  /** Why no execution begins. */
  deferral: Deferral | undefined;
  /** An operator holds the deployment: of hosts that `newHost` makes from now on. */
  isHeld = false;
  readonly errors: unknown[] = [];
  now = 1_000_000;
  /** Rows for the index, which tests answer; `undefined`: there is no index. */
  indexRows: { readonly row: IndexRow; readonly done: (stored: boolean) => void }[] | undefined;
  retentionMs: number | undefined;
  limits: Limits = DEFAULT_LIMITS;
  readonly #dispatcher: StepDispatcher = {
    workflows: () => [],
    start: () => ({ update: () => {}, abort: () => {} }),
    describe: (id) => (this.flow === undefined ? { id } : { id, flow: this.flow }),
  };
  host = this.newHost();

  newHost(): RunHost {
    return new RunHost({
      store: this.store,
      transition: checkedTransition,
      dispatcher: this.#dispatcher,
      clock: () => this.now,
      send: (to, message, done) => {
        if (isToRun(message)) this.sent.push({ to: to.name, message, done });
        else if (message.type === "acquire" || message.type === "release")
          this.toGates.push({ to: to.name, message, done });
      },
      ...(this.describes ? { describe: () => new Promise<Description>((resolve) => this.asked.push(resolve)) } : {}),
      defer: () => this.deferral,
      held: this.isHeld,
      gates: true,
      rev: 7,
      ...(this.indexRows === undefined
        ? {}
        : {
            updateIndex: (row: IndexRow, done: (stored: boolean) => void) => void this.indexRows?.push({ row, done }),
          }),
      limits: this.limits,
      retentionMs: () => this.retentionMs,
      onError: (error) => this.errors.push(error),
    });
  }

  trigger(more: Partial<ChildTrigger> = {}): ReturnType<RunHost["handle"]> {
    return this.host.handle(this.newTrigger(more));
  }

  newTrigger(more: Partial<ChildTrigger> = {}): TriggerInput {
    const trigger: ChildTrigger = {
      runId: "r",
      workflowId: "w",
      input: ENCODED_UNDEFINED,
      tags: [],
      environment: "test",
      triggeredBy: "api",
      ...more,
    };
    return toTriggerInput(trigger, "0".repeat(32));
  }

  report(...events: ExecutionEvent[]): ReturnType<RunHost["handle"]> {
    return this.host.handle({
      type: "report",
      report: { epoch: this.host.state.header?.epoch ?? 0, asked: 10, events },
    });
  }

  alarm(): void {
    this.now = Math.max(this.now, this.store.alarm ?? 0);
    this.host.handle({ type: "alarm" });
  }

  get header(): NonNullable<RunHost["state"]["header"]> {
    const { header } = this.host.state;
    if (header === undefined) throw new Error("no run");
    return header;
  }
}

/** A host over the rows of a bench that gives the ports of its executions, so that they can report late. */
export function hostWithPorts(bench: Bench): { readonly host: RunHost; readonly ports: readonly ExecutionPort[] } {
  const ports: ExecutionPort[] = [];
  const host = new RunHost({
    store: bench.store,
    clock: () => bench.now,
    dispatcher: {
      workflows: () => [],
      start: (_start, port) => {
        ports.push(port);
        return { update: () => {}, abort: () => {} };
      },
    },
  });
  return { host, ports };
}

export const completed = (name: string, more: object = {}): ExecutionEvent => ({
  type: "step.completed",
  op: `step/0/${name}`,
  nth: 1,
  attempt: 1,
  startedAt: 0,
  value: "[1]",
  ...more,
});

export const child = (name: string, detached = false): ExecutionEvent => ({
  type: "child.started",
  op: `run/0/${name}`,
  nth: 1,
  workflowId: name,
  input: "[1]",
  tags: [],
  detached,
});
