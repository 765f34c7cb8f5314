/**
 * Turns a program into a workflow.
 *
 * Owns: the observation of its executions: every value that the function receives, in order, and every start of a step
 * body.
 */
import { FatalError, type Workflow, type WorkflowContext, workflow } from "@holdfast/workflows";
import type { VirtualClock } from "@holdfast/workflows/testing";
import { type Program, childrenOf } from "./program.ts";

/** Observes the executions of runs. */
export interface Observer {
  /** Starts to observe an execution. The observation ends when the execution is abandoned. */
  begin(runId: string): {
    /** Records a value that the function received. */
    readonly see: (seen: string) => void;
    readonly bodyStarts: (op: string) => void;
    readonly requests: (op: string) => void;
  };
  /** Runs whose code was replaced by code that does not fit their journal. */
  readonly changed: ReadonlySet<string>;
}

/** The payload of a delivery. */
export interface Delivered {
  readonly id: string;
  readonly even: boolean;
}

interface Scope {
  readonly ctx: WorkflowContext;
  readonly clock: VirtualClock;
  readonly see: (seen: string) => void;
  readonly bodyStarts: (op: string) => void;
  readonly requests: (op: string) => void;
  readonly uses: Map<string, number>;
  readonly step: WorkflowContext["step"];
}

/** Returns a workflow for each program in the tree: the root, and every child under its own id. */
export function toWorkflows(root: Program, clock: VirtualClock, observer: Observer): Workflow[] {
  return [
    toWorkflow("root", root, clock, observer),
    ...childrenOf(root).map((child) => toWorkflow(`child-${child.id}`, child.body, clock, observer)),
  ];
}

function toWorkflow(id: string, program: Program, clock: VirtualClock, observer: Observer): Workflow {
  return workflow({
    id,
    run: async (_input, ctx) => {
      if (observer.changed.has(ctx.run.id)) await ctx.step("changed code", () => 1);
      const seen = observer.begin(ctx.run.id);
      // oxlint-disable-next-line typescript/unbound-method -- the operations of ctx need no this
      const result = await execute(program, { ctx, clock, ...seen, uses: new Map(), step: ctx.step });
      seen.requests("step/0/end");
      await ctx.step("end", () => seen.bodyStarts("step/0/end"));
      return result;
    },
  });
}

async function execute(program: Program, scope: Scope): Promise<unknown> {
  const { see, ctx } = scope;
  const label = `${program.kind}${program.id}`;
  try {
    const value = "parts" in program ? await combine(program, scope) : await executeLeaf(program, scope);
    see(`${label}=${JSON.stringify(value)} at ${ctx.now().getTime() % 1e7} with ${ctx.random().toFixed(4)}`);
    return value;
  } catch (error) {
    see(`${label}!${(error as Error).message}`);
    throw error;
  }
}

function combine(program: Extract<Program, { readonly parts: readonly Program[] }>, scope: Scope): Promise<unknown> {
  const { ctx } = scope;
  const each = (): Promise<unknown>[] => program.parts.map((part) => execute(part, scope));
  const sequentially = async (step = scope.step): Promise<unknown[]> => {
    const values: unknown[] = [];
    for (const part of program.parts) values.push(await execute(part, { ...scope, step }));
    return values;
  };
  switch (program.kind) {
    case "all":
      return Promise.all(each());
    case "race":
      return Promise.race(each());
    case "any":
      return Promise.any(each());
    case "settled":
      return Promise.allSettled(each()).then((all) => all.map(({ status }) => status));
    case "parallel":
      return ctx.parallel(program.parts, (part) => execute(part, scope), { concurrency: 2 });
    case "try":
      return sequentially().catch((error: Error) => `caught ${error.message}`);
    case "group":
      return ctx.group(`g${program.id}`, (group) => sequentially(group.step));
    case "sequence":
    case "loop":
      return sequentially();
  }
}

async function executeLeaf(
  program: Exclude<Program, { readonly parts: readonly Program[] }>,
  scope: Scope,
): Promise<unknown> {
  const { ctx, bodyStarts } = scope;
  const { id } = program;
  switch (program.kind) {
    case "step":
      return executeStep(program, scope);
    case "sleep":
      return ctx.sleep(program.ms);
    case "wait":
      return executeWait(program, ctx);
    case "iterate":
      return iterate(program, ctx);
    case "undo":
      return ctx.compensate();
    case "token":
      return ctx.waitForToken({ timeout: program.ms }).wait();
    case "pure":
      for (let tick = 0; tick < program.ticks; tick++) await Promise.resolve();
      return program.ticks;
    case "metadata":
      return ctx.metadata.increment("count");
    case "stream":
      return ctx.stream.json(`st${id}`, () => {
        bodyStarts(`stream/0/st${id}`);
        return Array.from({ length: program.chunks }, (_, chunk) => chunk);
      });
    case "throw":
      throw new FatalError(`thrown ${id}`);
    case "child":
      return program.detach
        ? ctx.invoke({ id: `child-${id}` }, id, { detach: true }).then(() => "detached")
        : ctx.invoke({ id: `child-${id}` }, id);
  }
}

async function executeWait(
  { on, name, ms, even }: Program & { readonly kind: "wait" },
  ctx: WorkflowContext,
): Promise<unknown> {
  const options = { timeout: ms, ...(even === undefined ? {} : { match: { even } }) };
  const delivered = await (on === "signal"
    ? ctx.waitForSignal<Delivered>(name, options)
    : ctx.waitForEvent<Delivered>(name, options));
  return delivered?.id ?? null;
}

async function iterate(
  { name, ms, max }: Program & { readonly kind: "iterate" },
  ctx: WorkflowContext,
): Promise<unknown> {
  const ids: string[] = [];
  for await (const { id } of ctx.waitForEvent<Delivered>(name, { timeout: ms })) {
    ids.push(id);
    if (ids.length === max) break;
  }
  return ids.length;
}

function executeStep(
  program: Program & { readonly kind: "step" },
  { clock, bodyStarts, requests, uses, step }: Scope,
): Promise<unknown> {
  const { name, ms, failures, once, undo, timeoutMs, id } = program;
  const use = uses.get(name) ?? 0;
  uses.set(name, use + 1);
  const start = (kind: string): void => bodyStarts(`${kind}/${use}/${name}`);
  let undone = 0;
  const compensate = async (): Promise<void> => {
    start("compensation");
    undone += 1;
    if (undo === "fails") throw new FatalError(`cannot undo ${id}`);
    if (undo === "late" && undone === 1) throw new Error(`cannot undo ${id} yet`);
    if (undo === "slowly") await new Promise<void>((resolve) => clock.setTimer(300, resolve));
  };
  const options = {
    ...(once ? { once } : { retry: { max: 3, initial: 100, maxDelay: 400 } }),
    ...(undo === "none" ? {} : { compensate }),
    ...(timeoutMs === undefined ? {} : { timeout: timeoutMs }),
  };
  requests(`step/${use}/${name}`);
  return step(name, options, async ({ attempt }) => {
    start("step");
    if (ms > 0) await new Promise<void>((resolve) => clock.setTimer(ms, resolve));
    if (attempt <= failures) throw new Error(`failure ${attempt} of ${id}`);
    return id;
  });
}
