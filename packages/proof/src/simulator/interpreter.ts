/**
 * Turns a program into a workflow.
 *
 * Owns: the observation of its executions: every value that the function receives, in order, and every start of a step
 * body.
 */
import { FatalError, RetryableError, type Workflow, type WorkflowContext, workflow } from "@holdfast/workflows";
import type { VirtualClock } from "@holdfast/workflows/testing";
import { askOf } from "./answers.ts";
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

type Leaf = Exclude<Program, { readonly parts: readonly Program[] }>;

interface Scope extends ExecutionObserver {
  readonly ctx: WorkflowContext;
  readonly clock: VirtualClock;
  /** The number of uses of each kind and name of operation so far. */
  readonly uses: Map<string, number>;
  readonly step: WorkflowContext["step"];
  readonly handlesRejections: boolean;
  /** The code is in `ctx.shielded`: its steps are never compensated. */
  readonly shielded?: true;
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
    case "first":
      return executeFirst(program, scope);
    case "cleanup":
      return executeCleanup(program, scope);
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

/** Executes `ctx.race`, and notes which operations are its members. */
function executeFirst(
  { id, parts, cancelLosers = false }: Program & { readonly kind: "first" },
  scope: Scope,
): Promise<unknown> {
  const ops: string[] = [];
  const noting: Scope = {
    ...scope,
    requests: (op, what) => {
      ops.push(op);
      scope.requests(op, what);
    },
  };
  const members = parts.map((part) => [`m${part.id}`, openMember(part, noting)] as const);
  scope.requests(`race/${id}`, { kind: "race", ops });
  return scope.ctx.race(Object.fromEntries(members), { cancelLosers });
}

/** Opens one operation, and returns the promise of the engine. */
function openMember(program: Program, scope: Scope): Promise<unknown> {
  if ("parts" in program) throw new Error(`assertion: ${program.kind} is not an operation`);
  return program.kind === "wait" ? openWait(program, scope) : openLeaf(program, scope);
}

/** Executes the first part, and then the shielded steps, whatever happened. */
async function executeCleanup(program: Program & { readonly kind: "cleanup" }, scope: Scope): Promise<unknown[]> {
  const { parts, timeoutMs = 3_600_000 } = program;
  const [main, ...steps] = parts;
  const values: unknown[] = [];
  const cleanUp = async ({ step }: { readonly step: Scope["step"] }): Promise<void> => {
    for (const part of steps) values.push(await execute(part, { ...scope, step, shielded: true }));
  };
  scope.requests(`cleanup${program.id}`);
  try {
    if (main !== undefined) values.push(await execute(main, scope));
  } finally {
    await scope.ctx.shielded(cleanUp, { timeout: timeoutMs });
  }
  return values;
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

async function executeLeaf(program: Leaf, scope: Scope): Promise<unknown> {
  return openLeaf(program, scope);
}

/** Returns the promise of the engine if the leaf is one operation. */
function openLeaf(program: Leaf, scope: Scope): Promise<unknown> {
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
      return openWait(program, scope).then((delivered) => delivered?.id ?? null);
    case "release":
      return executeRelease(program, scope);
    case "iterate":
      return program.twice ? iterateTwice(program, scope) : iterate(program, scope);
    case "undo":
      return ctx.compensate();
    case "token":
      scope.requests(nextOperation(scope, "token", "token"), { kind: "wait", ms: program.ms });
      return ctx.waitForToken({ timeout: program.ms, ...(program.ask ? { ask: askOf(program.id) } : {}) }).wait();
    case "pure":
      return executePure(program.ticks);
    case "metadata":
      return Promise.resolve(ctx.metadata.increment("count"));
    case "stream":
      return executeStream(program, scope);
    case "throw":
      throw new FatalError(`thrown ${program.id}`);
    case "child":
      return executeChild(program, scope);
  }
}

async function executePure(ticks: number): Promise<number> {
  for (let tick = 0; tick < ticks; tick++) await Promise.resolve();
  return ticks;
}

function executeStream({ id, chunks }: Program & { readonly kind: "stream" }, scope: Scope): Promise<number> {
  return scope.ctx.stream.json(`st${id}`, () => {
    scope.bodyStarts(`stream/0/st${id}`);
    return Array.from({ length: chunks }, (_, chunk) => chunk);
  });
}

function executeChild({ id, detach }: Program & { readonly kind: "child" }, scope: Scope): Promise<unknown> {
  const { ctx } = scope;
  const child = { id: `child-${id}` };
  scope.requests(nextOperation(scope, "child", child.id));
  return detach ? ctx.invoke(child, id, { detach: true }).then(() => "detached") : ctx.invoke(child, id);
}

function openWait(
  { on, name, ms, even }: Program & { readonly kind: "wait" },
  scope: Scope,
): Promise<Delivered | null> {
  const { ctx } = scope;
  scope.requests(nextOperation(scope, on, name), { kind: "wait", ms });
  const options = { timeout: ms, ...(even === undefined ? {} : { match: { even } }) };
  return on === "signal" ? ctx.waitForSignal(name, options) : ctx.waitForEvent(name, options);
}

/** Opens a wait, and aborts its signal after a sleep. What is journaled first decides (WAIT11). */
async function executeRelease(program: Program & { readonly kind: "release" }, scope: Scope): Promise<unknown> {
  const stop = new AbortController();
  const reason = `stop ${program.id}`;
  const ended = openReleased(program, scope, stop.signal).catch((error: unknown) => {
    if (error !== reason) throw error;
    return "released";
  });
  ended.catch(() => {});
  scope.requests(nextOperation(scope, "sleep", "sleep"), { kind: "wait", ms: program.ms });
  await scope.ctx.sleep(program.ms);
  stop.abort(reason);
  return ended;
}

async function openReleased(
  { on, name }: Program & { readonly kind: "release" },
  scope: Scope,
  signal: AbortSignal,
): Promise<unknown> {
  const { ctx } = scope;
  scope.requests(nextOperation(scope, on, on === "sleep" || on === "token" ? on : name));
  switch (on) {
    case "sleep":
      return ctx.sleep("1h", { signal });
    case "token":
      return ctx.waitForToken({ signal }).wait();
    case "signal":
      return (await ctx.waitForSignal<Delivered>(name, { signal }))?.id;
    case "event":
      return (await ctx.waitForEvent<Delivered>(name, { signal }))?.id;
  }
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
  const { clock, bodyStarts, requests, step, shielded } = scope;
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
  requests(op, { kind: "step", once, compensable: undo !== "none" && shielded !== true, ...delay });
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
