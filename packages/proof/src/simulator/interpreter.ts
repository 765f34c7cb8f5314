/**
 * Turns a program into a workflow.
 *
 * Owns: the observation of its executions: every value that the function receives, in order, and every start of a step
 * body.
 */
import { FatalError, RetryableError, type Workflow, type WorkflowContext, workflow } from "@holdfast/workflows";
import type { VirtualClock } from "@holdfast/workflows/testing";
import { isOddValue, oddValue } from "./odd-values.ts";
import type { ExecutionObserver, Observer } from "./observer.ts";
import { type Program, RETRY, childrenOf } from "./program.ts";

/** The payload of a delivery. */
export interface Delivered {
  readonly id: string;
  readonly even: boolean;
}

/** The delay that a `RetryableError` of a program requests, ms. */
const RETRY_AFTER_MS = 70;

interface Scope extends ExecutionObserver {
  readonly ctx: WorkflowContext;
  readonly clock: VirtualClock;
  /** The number of uses of each kind and name of operation so far. */
  readonly uses: Map<string, number>;
  readonly step: WorkflowContext["step"];
  readonly handlesRejections: boolean;
}

/** Returns the id of the next operation of this kind and name, and counts it. */
function nextOperation({ uses }: Scope, kind: string, name: string): string {
  const use = uses.get(`${kind}/${name}`) ?? 0;
  uses.set(`${kind}/${name}`, use + 1);
  return `${kind}/${use}/${name}`;
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
      const seen = observer.begin(ctx.run.id, ctx.invocationCount);
      // oxlint-disable-next-line typescript/unbound-method -- the operations of ctx need no this
      const scope = { ctx, clock, ...seen, uses: new Map(), step: ctx.step };
      const result = await execute(program, { ...scope, handlesRejections: observer.handlesRejections });
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
    case "late":
      return executeLate(program.parts, scope);
    case "shared":
      return executeShared(program.parts, scope);
    case "settling":
      return ctx.parallel(program.parts, (part) => execute(part, scope), { concurrency: 2, settle: true });
    case "group":
      return ctx.group(`g${program.id}`, (group) => sequentially(group.step));
    case "sequence":
    case "loop":
      return sequentially();
  }
}

/** Begins the first part and awaits it last. */
async function executeLate([first, ...others]: readonly Program[], scope: Scope): Promise<unknown[]> {
  if (first === undefined) return [];
  const begun = leave(execute(first, scope), scope);
  const values: unknown[] = [];
  for (const part of others) values.push(await execute(part, scope));
  return [await begun, ...values];
}

/** Awaits one promise in several branches. */
function executeShared([first, ...others]: readonly Program[], scope: Scope): Promise<unknown[]> {
  if (first === undefined) return Promise.resolve([]);
  const shared = leave(execute(first, scope), scope);
  return Promise.all(others.map((part) => execute(part, scope).then(() => shared)));
}

/** Leaves a promise that nothing may ever await. */
function leave<T>(promise: Promise<T>, { handlesRejections }: Scope): Promise<T> {
  if (handlesRejections) promise.catch(() => {});
  return promise;
}

async function executeLeaf(
  program: Exclude<Program, { readonly parts: readonly Program[] }>,
  scope: Scope,
): Promise<unknown> {
  const { ctx } = scope;
  switch (program.kind) {
    case "step":
      return executeStep(program, scope);
    case "sleep":
      scope.requests(nextOperation(scope, "sleep", "sleep"), { kind: "wait", ms: program.ms });
      return ctx.sleep(program.ms);
    case "until":
      nextOperation(scope, "sleep", "sleep");
      return ctx.sleepUntil(new Date(ctx.now().getTime() + program.ms));
    case "reuse":
      return reuse(program, scope);
    case "wait":
      return executeWait(program, scope);
    case "iterate":
      return program.twice ? iterateTwice(program, scope) : iterate(program, scope);
    case "undo":
      return ctx.compensate();
    case "token":
      scope.requests(nextOperation(scope, "token", "token"), { kind: "wait", ms: program.ms });
      return ctx.waitForToken({ timeout: program.ms }).wait();
    case "pure":
      for (let tick = 0; tick < program.ticks; tick++) await Promise.resolve();
      return program.ticks;
    case "metadata":
      return ctx.metadata.increment("count");
    case "stream":
      return executeStream(program, scope);
    case "throw":
      throw new FatalError(`thrown ${program.id}`);
    case "child":
      return executeChild(program, scope);
  }
}

function executeStream({ id, chunks }: Program & { readonly kind: "stream" }, scope: Scope): Promise<number> {
  return scope.ctx.stream.json(`st${id}`, () => {
    scope.bodyStarts(`stream/0/st${id}`);
    return Array.from({ length: chunks }, (_, chunk) => chunk);
  });
}

function executeChild({ id, detach }: Program & { readonly kind: "child" }, { ctx }: Scope): Promise<unknown> {
  const child = { id: `child-${id}` };
  return detach ? ctx.invoke(child, id, { detach: true }).then(() => "detached") : ctx.invoke(child, id);
}

async function executeWait(
  { on, name, ms, even }: Program & { readonly kind: "wait" },
  scope: Scope,
): Promise<unknown> {
  const { ctx } = scope;
  scope.requests(nextOperation(scope, on, name), { kind: "wait", ms });
  const options = { timeout: ms, ...(even === undefined ? {} : { match: { even } }) };
  const delivered = await (on === "signal"
    ? ctx.waitForSignal<Delivered>(name, options)
    : ctx.waitForEvent<Delivered>(name, options));
  return delivered?.id ?? null;
}

async function reuse({ name, ms }: Program & { readonly kind: "reuse" }, scope: Scope): Promise<unknown> {
  scope.requests(nextOperation(scope, "signal", name), { kind: "wait", ms });
  const wait = scope.ctx.waitForSignal<Delivered>(name, { timeout: ms });
  const [first, second] = [await wait, await wait];
  return first === second ? (first?.id ?? null) : "two deliveries";
}

async function iterate({ name, ms, max }: Program & { readonly kind: "iterate" }, scope: Scope): Promise<unknown> {
  const ids: string[] = [];
  const request = (): void => scope.requests(nextOperation(scope, "event", name), { kind: "wait", ms });
  request();
  for await (const { id } of scope.ctx.waitForEvent<Delivered>(name, { timeout: ms })) {
    ids.push(id);
    if (ids.length === max) break;
    // The loop opens another wait now.
    request();
  }
  return ids.length;
}

/** Loops twice over one wait object. Each delivery is seen once (WAIT2). */
async function iterateTwice(
  { name, ms, max }: Program & { readonly kind: "iterate" },
  { ctx }: Scope,
): Promise<unknown> {
  const wait = ctx.waitForEvent<Delivered>(name, { timeout: ms });
  const ids: string[] = [];
  for (let loop = 1; loop <= 2; loop++) {
    for await (const { id } of wait) {
      ids.push(id);
      if (ids.length === loop * max) break;
    }
  }
  return new Set(ids).size === ids.length ? ids.length : `a delivery was seen twice: ${ids.join()}`;
}

function executeStep(program: Program & { readonly kind: "step" }, scope: Scope): Promise<unknown> {
  const { clock, bodyStarts, requests, step } = scope;
  const { name, ms, failures, once, undo, timeoutMs, id, odd, deaths = 0, throws } = program;
  const op = nextOperation(scope, "step", name);
  const start = (kind: string): void => bodyStarts(op.replace("step", kind));
  let undone = 0;
  const compensate = async (): Promise<void> => {
    start("compensation");
    undone += 1;
    if (undo === "fails") throw new FatalError(`cannot undo ${id}`);
    if (undo === "late" && undone === 1) throw new Error(`cannot undo ${id} yet`);
    if (undo === "slowly") await new Promise<void>((resolve) => clock.setTimer(300, resolve));
  };
  const options = {
    ...(once ? { once } : { retry: RETRY }),
    ...(undo === "none" ? {} : { compensate }),
    ...(timeoutMs === undefined ? {} : { timeout: timeoutMs }),
  };
  const delay = throws === "retryable" ? { retryAfterMs: RETRY_AFTER_MS } : {};
  requests(op, { kind: "step", once, compensable: undo !== "none", ...delay });
  const result = step(name, options, async ({ attempt }) => {
    start("step");
    if (deaths > 0 && scope.dies(op, deaths)) await new Promise(() => {});
    if (ms > 0) await new Promise<void>((resolve) => clock.setTimer(ms, resolve));
    if (attempt <= failures) throw failureOf(`failure ${attempt} of ${id}`, throws);
    return odd === undefined ? id : oddValue(odd);
  });
  if (odd === undefined) return result;
  return result.then((value) => (isOddValue(odd, value) ? id : `another value than the odd value ${odd}`));
}

function failureOf(message: string, throws: (Program & { readonly kind: "step" })["throws"]): Error {
  if (throws === "fatal") return new FatalError(message);
  return throws === "retryable" ? new RetryableError(message, { retryAfter: RETRY_AFTER_MS }) : new Error(message);
}
