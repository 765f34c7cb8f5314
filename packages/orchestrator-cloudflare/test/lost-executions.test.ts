/** tests: executions in a step handler that drops them, restarts, has several instances, or falls silent (DUR11) */
import {
  type ExecutionStart,
  PROTOCOL_VERSION,
  type RpcCall,
  type StepDispatcher,
  type WorkflowsAnswer,
} from "@holdfast/protocol";
import { type Workflow, workflow } from "@holdfast/workflows";
import type { StepHandler, StepHandlerOptions } from "@holdfast/workflows/handler";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createHttpDispatcher, createServiceBindingDispatcher } from "../src/index.ts";
import type { FakeDeployment } from "./fake-platform.ts";
import { KEY, Network, deployed, read, trigger, until } from "./handler-network.ts";

const STEP_MS = 400;

/** The signals of the bodies that never end. */
const aborts: AbortSignal[] = [];

/** The number of starts of each body. */
const starts = new Map<string, number>();

function started(name: string): number {
  const count = (starts.get(name) ?? 0) + 1;
  starts.set(name, count);
  return count;
}

// Read before a test replaces it.
const { setTimeout: setTimeoutNow } = globalThis;

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeoutNow(resolve, ms);
  });

const slow = workflow({
  id: "slow",
  run: (_input, ctx) =>
    ctx.step("slow", async () => {
      started(ctx.run.id);
      await pause(STEP_MS);
      return "done";
    }),
});

const waves = workflow({
  id: "waves",
  run: async (_input, ctx) => {
    const first = await ctx.parallel([10, 60, 110], (ms) =>
      ctx.step(`of ${ms}`, async () => {
        started(`of ${ms}`);
        await pause(ms);
        return ms;
      }),
    );
    await ctx.waitForSignal("go");
    return [...first, await ctx.step("last", () => 1)];
  },
});

const deadly = workflow({
  id: "deadly",
  run: (_input, ctx) =>
    ctx.step("deadly", ({ signal }) => {
      started("deadly");
      aborts.push(signal);
      return new Promise(() => {});
    }),
});

const needsSession = workflow({
  id: "needs a session",
  run: async (kind: string, ctx) => {
    if (kind === "once") await ctx.step("once", { once: true }, () => started("once"));
    else {
      await ctx.stream("chunks", async function* () {
        started("stream");
        yield 1;
      });
    }
  },
});

const raceOfSteps = workflow({
  id: "race of steps",
  run: async (_input, ctx) => {
    const step = (name: string, ms: number): Promise<string> =>
      ctx.step(name, async () => {
        started(name);
        await pause(ms);
        return name;
      });
    const first = await ctx.race({ tortoise: step("tortoise", 60), hare: step("hare", 10) });
    return [first.name, await step("prize", 1)];
  },
});

const tidy = workflow({
  id: "tidy",
  run: async (_input, ctx) => {
    await ctx.step("open", () => started("open"));
    try {
      await ctx.waitForSignal("over");
    } finally {
      await ctx.shielded(({ step }) => step("close", () => started("close")));
    }
  },
});

const workflows: Workflow[] = [slow, waves, deadly, needsSession, raceOfSteps, tidy];

beforeEach(() => starts.clear());
afterEach(() => void vi.useRealTimers());

function newNetwork(options: Partial<StepHandlerOptions> = {}, handlers = 1): Network {
  return new Network({ workflows, ...options }, handlers);
}

/** The header of a run. */
function headerOf(api: FakeDeployment, runId = "r"): Record<string, unknown> {
  return api.storageOf(runId).rows.get("record") as Record<string, unknown>;
}

describe("sessions", () => {
  test("LIM1 a handler whose sessions all execute admits no other one, and each body executes once", async () => {
    const api = newNetwork({ sessionsMax: 1 }).deploy();
    const runs = ["a", "b", "c"];
    for (const runId of runs) await trigger(api, "slow", null, runId);
    await Promise.all(runs.map((runId) => until(api, "completed", { runId })));
    expect(Object.fromEntries(starts)).toEqual({ a: 1, b: 1, c: 1 });
  });

  test("DUR11 a body that takes longer than idleMsMax executes once, although other requests sweep the sessions", async () => {
    const api = newNetwork({ idleMsMax: 20 }).deploy();
    await trigger(api, "slow");
    for (let i = 0; (await read(api))["status"] === "running" && i < 100; i++) {
      await trigger(api, "waves", null, `other-${i}`);
      await pause(20);
    }
    await until(api, "completed");
    expect(starts.get("r")).toBe(1);
  });

  test("DUR6 a session is dropped when the run's next execution starts: its body is aborted, and its turn answered", async () => {
    const network = newNetwork();
    let answer: Promise<Response> | undefined;
    network.breaks = async (_number, _request, pass) => {
      answer ??= pass().then((response) => response.clone());
      return pass();
    };
    const api = network.deploy();
    await trigger(api, "slow");
    await expect.poll(() => starts.get("r")).toBe(1);
    const { epoch } = headerOf(api) as { epoch: number };
    const [first = ""] = network.requests;
    const again = first
      .replace(`"epoch":${epoch}`, `"epoch":${epoch + 1}`)
      .replace(/"session":"\w+"/, '"session":"another-session-1"');
    const handler = newNetwork({ signingKeys: "unsigned" } as never).newHandler();
    const post = (body: string): Promise<{ type: string }> =>
      handler(new Request("https://h/turn", { method: "POST", body })).then((response) => response.json() as never);
    const held = post(first.replace('"waitMs":300', '"waitMs":20000'));
    await expect.poll(() => starts.get("r")).toBe(2);
    const next = post(again);
    expect(await held).toMatchObject({ type: "unknown_session" });
    expect(await next).toMatchObject({ type: "busy" });
    // A start of the older execution that arrives late starts nothing.
    expect(await post(first)).toMatchObject({ type: "unknown_session" });
    expect(starts.get("r")).toBe(3);
  });

  test("DUR11 the pings find that an earlier handler, which answers idle, has dropped the execution", async () => {
    let now = Date.now();
    const network = newNetwork();
    const clock = (): number => now;
    network.breaks = async (number, request, pass) => {
      const { session, start } = (await request.clone().json()) as { session: string; start?: object };
      if (number === 1) return Response.json({ session, type: "busy", inProgress: [] });
      if (number === 2) return Response.json({ session, type: "idle" });
      return start === undefined && number === 3 ? Response.json({ session, type: "unknown_session" }) : pass();
    };
    const api = network.deploy({}, { clock });
    await trigger(api, "slow");
    await expect.poll(() => network.requests.length).toBe(2);
    now += 5_000;
    await until(api, "completed", { now: clock });
    expect(starts.get("r")).toBe(1);
    expect(headerOf(api)).toMatchObject({ epoch: 2, losses: { code: "SESSION_LOST", count: 1 } });
  });
});

describe("instances", () => {
  test("DUR11 a step of 400 ms executes once although requests reach two instances in turn, in one execution", async () => {
    const api = newNetwork({}, 2).deploy();
    await trigger(api, "slow");
    expect(await until(api, "completed")).toMatchObject({ output: "done", invocationCount: 1 });
    expect(starts.get("r")).toBe(1);
  });

  test("CAN1 a cancel reaches the body although requests reach two instances in turn", async () => {
    const api = newNetwork({}, 2).deploy();
    await trigger(api, "deadly");
    await expect.poll(() => starts.get("deadly")).toBe(1);
    await expect.poll(async () => (await read(api))["steps"]).toMatchObject([{ name: "deadly", status: "running" }]);
    await api.fetch("/api/runs/r/cancel", { json: {} });
    await expect.poll(() => aborts.at(-1)?.aborted, { timeout: 2_000 }).toBe(true);
  });

  test("U4 a request that names another instance changes nothing, and the answer names the instance that it reached", async () => {
    const network = newNetwork({}, 2);
    const answers: Record<string, unknown>[] = [];
    network.breaks = async (_number, _request, pass) => {
      const response = await pass();
      answers.push((await response.clone().json()) as Record<string, unknown>);
      return response;
    };
    const api = network.deploy();
    await trigger(api, "slow");
    await until(api, "completed");
    const [first] = answers;
    const wrong = answers.filter(({ type }) => type === "wrong_instance");
    expect(wrong.length).toBeGreaterThan(0);
    for (const { mine, instance, upMs } of wrong) {
      expect([mine, upMs]).toEqual([instance, expect.any(Number)]);
      expect(mine).not.toBe(first?.["instance"]);
    }
  });

  test("DUR11 after three replacements the run is paused, and the message names both instances and the remedy", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const network = newNetwork({}, 2);
    const [home, other] = network.handlers as [StepHandler, StepHandler];
    const homeIds = new Set<unknown>();
    network.breaks = async (_number, request) => {
      const isFirst = (await request.clone().text()).includes('"start":');
      const response = await (isFirst ? home : other)(request);
      if (isFirst) homeIds.add(((await response.clone().json()) as { instance: string }).instance);
      return response;
    };
    const api = network.deploy();
    await trigger(api, "deadly");
    const isPaused = async (): Promise<boolean> => (await read(api))["status"] === "paused";
    while (!(await isPaused())) {
      await vi.advanceTimersByTimeAsync(100);
      await pause(1);
    }
    const { error } = (await read(api)) as { error: { code: string; message: string } };
    expect(error.code).toBe("STICKY_ROUTING_REQUIRED");
    expect(error.message).toContain(String([...homeIds][0]));
    expect(error.message).toMatch(/the instance [0-9a-f]{32} answers.*Holdfast-Session/);
    expect(starts.get("deadly")).toBe(4);
    expect(headerOf(api)["crashes"]).toBeUndefined();
  });

  test("DUR11 every request of an execution carries its session in a header, for proxies that route by it", async () => {
    const network = newNetwork();
    const sessions = new Set<string | null>();
    network.breaks = async (_number, request, pass) => {
      sessions.add(request.headers.get("Holdfast-Session"));
      return pass();
    };
    const api = network.deploy();
    await trigger(api, "slow");
    await until(api, "completed");
    expect([...sessions]).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/)]);
  });
});

describe("processes that end", () => {
  /** A handler whose process ends when a body starts, and starts again at once. */
  function dying(network: Network, isDeath: (body: string) => boolean): void {
    network.breaks = async (_number, _request, pass) => {
      const before = starts.get("deadly") ?? 0;
      const answer = pass();
      const body = network.requests.at(-1) ?? "";
      await vi.waitFor(() => expect((starts.get("deadly") ?? 0) > before || !body.includes('"start":')).toBe(true));
      if (!isDeath(body)) return answer;
      network.handlers = [network.newHandler()];
      throw new TypeError("the connection broke");
    };
  }

  test("DUR11 an execution whose process restarted is replaced at once, and not only after 40 s", async () => {
    const network = newNetwork();
    let deaths = 0;
    network.breaks = async (number, _request, pass) => {
      if (number !== 2) return pass();
      deaths += 1;
      network.handlers = [network.newHandler()];
      throw new TypeError("the connection broke");
    };
    const api = network.deploy();
    await trigger(api, "slow");
    expect(await until(api, "completed")).toMatchObject({ invocationCount: 2 });
    expect([deaths, starts.get("r")]).toEqual([1, 2]);
    expect(headerOf(api)["crashes"]).toMatchObject({ count: 1 });
  });

  test("DUR7 a process that ends at one step, before it could answer, is counted, and after ten deaths the run is paused", async () => {
    let now = Date.now();
    const network = newNetwork();
    dying(network, (body) => body.includes('"start":'));
    const api = network.deploy({}, { clock: () => now });
    await trigger(api, "deadly");
    for (let i = 0; i < 2_000 && headerOf(api)["status"] === "running"; i++) {
      const { retryAt } = (headerOf(api)["dispatch"] ?? {}) as { retryAt?: number };
      if (retryAt !== undefined) {
        now = retryAt;
        await api.alarm("r");
      }
      await pause(10);
    }
    expect(await read(api)).toMatchObject({ status: "paused", error: { code: "EXECUTOR_CRASHED" } });
    expect(starts.get("deadly")).toBe(10);
  });
});

describe("handlers without sessions", () => {
  test("DUR11 bodies that take longer than holdMs execute once, and each turn is answered when all of them have ended", async () => {
    const api = newNetwork({ stateless: true, holdMs: 20 }).deploy();
    await trigger(api, "waves");
    await until(api, "waiting");
    await api.fetch("/api/runs/r/signals", { json: { name: "go" } });
    expect(await until(api, "completed")).toMatchObject({ output: [10, 60, 110, 1] });
    expect([...starts]).toEqual([
      ["of 10", 1],
      ["of 60", 1],
      ["of 110", 1],
    ]);
    expect(headerOf(api)["crashes"]).toBeUndefined();
  });

  test.each(["once", "stream"])("DUR3 LIM1 a run that needs a session is paused with the remedy: %s", async (kind) => {
    const api = newNetwork({ stateless: true }).deploy();
    await trigger(api, "needs a session", kind);
    expect(await until(api, "paused")).toMatchObject({
      error: { code: "DISPATCH_REFUSED", message: expect.stringContaining("needs a step handler with sessions") },
    });
    expect(starts.size).toBe(0);
  });

  test("WAIT11 DUR11 a race of steps is reported with their outcomes, because a turn that only opens it is no progress", async () => {
    const api = newNetwork({ stateless: true }).deploy();
    await trigger(api, "race of steps");
    expect(await until(api, "completed")).toMatchObject({ output: ["hare", "prize"] });
    expect(Object.fromEntries(starts)).toEqual({ tortoise: 1, hare: 1, prize: 1 });
  });

  test("CAN9 DUR11 a shielded step executes, because a turn that only announces the clean-up is no progress", async () => {
    const api = newNetwork({ stateless: true }).deploy();
    await trigger(api, "tidy");
    await until(api, "waiting");
    await api.fetch("/api/runs/r/cancel", { json: {} });
    const run = await until(api, "cancelled");
    expect(run["cleanup"]).toBeUndefined();
    expect(Object.fromEntries(starts)).toEqual({ open: 1, close: 1 });
  });

  test("DUR11 two handlers without sessions in turn execute a step once", async () => {
    const api = newNetwork({ stateless: true }, 2).deploy();
    await trigger(api, "slow");
    expect(await until(api, "completed")).toMatchObject({ output: "done", invocationCount: 2 });
    expect(starts.get("r")).toBe(1);
  });

  test("DUR11 blanks before an answer are signs of life, and the time-out of a request counts from the last one", async () => {
    const network = newNetwork();
    network.breaks = async (_number, _request, pass) => {
      const body = new ReadableStream<Uint8Array>({
        async start(controller) {
          for (let blanks = 0; blanks < 10; blanks++) {
            controller.enqueue(new TextEncoder().encode(" "));
            await pause(30);
          }
          controller.enqueue(new Uint8Array(await (await pass()).arrayBuffer()));
          controller.close();
        },
      });
      return new Response(body);
    };
    const api = network.deploy({ timeoutMs: 150 });
    await trigger(api, "waves");
    expect(await until(api, "waiting")).toMatchObject({ invocationCount: 1 });
  });
});

describe("silence", () => {
  const never = new Promise<never>(() => {});
  const workflowsOf = async (): Promise<WorkflowsAnswer> => ({ protocol: PROTOCOL_VERSION, workflows: [] });

  /** Pipes whose other side takes the execution, or one message of it, and says nothing more. */
  const SILENT: Readonly<Record<string, () => StepDispatcher>> = {
    http: () => ({
      ...createHttpDispatcher({ url: "https://h", signingKey: KEY, fetch: () => never }),
      workflows: () => [],
    }),
    rpc: () =>
      createServiceBindingDispatcher({
        binding: {
          workflows: workflowsOf,
          async execute(_start: ExecutionStart, call: RpcCall) {
            await call("bodies", { began: [], ended: [] });
            await never;
          },
        },
      }),
    lines: () => ({
      ...createServiceBindingDispatcher({
        pipe: "fetch",
        binding: { fetch: async () => new Response(new ReadableStream({ start: () => {} })) },
      }),
      workflows: () => [],
    }),
  };

  test.each(Object.entries(SILENT))(
    "DUR11 an execution that says nothing for 40 s is replaced under a new epoch: %s",
    async (_pipe, dispatcher) => {
      let now = Date.now();
      const api = deployed(dispatcher(), { clock: () => now });
      await trigger(api, "slow");
      await pause(20);
      const epochAfter = async (seconds: number): Promise<unknown> => {
        const target = now + seconds * 1_000;
        for (let at = api.storageOf("r").alarmAt; at !== null && at <= target; at = api.storageOf("r").alarmAt) {
          now = Math.max(now, at);
          await api.alarm("r");
        }
        now = target;
        return headerOf(api)["epoch"];
      };
      expect(await epochAfter(39)).toBe(1);
      expect(await epochAfter(6)).toBe(2);
      expect(headerOf(api)).toMatchObject({ losses: { code: "SESSION_LOST", count: 1 } });
      expect(headerOf(api)["crashes"]).toBeUndefined();
    },
  );
});
