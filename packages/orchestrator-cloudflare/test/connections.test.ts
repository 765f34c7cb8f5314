/** tests: turns as frames of a connection: what is carried, refused, lost, forged and drained (PIPE1 to PIPE7) */
import { workflow } from "@holdfast/workflows";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ConnectedNetwork, type Frame } from "./connected-network.ts";
import { read, trigger, until } from "./handler-network.ts";
import type { FakeDeployment } from "./fake-platform.ts";

const starts = new Map<string, number>();

function started(name: string): void {
  starts.set(name, (starts.get(name) ?? 0) + 1);
}

const ends: (() => void)[] = [];

const steps = workflow({
  id: "steps",
  run: async (n: number, ctx) => {
    for (let i = 0; i < n; i++) await ctx.step(`step ${i}`, () => started(`step ${i}`));
    return "done";
  },
});

const waits = workflow({
  id: "waits",
  run: async (_input, ctx) => {
    await ctx.step("before", () => started("before"));
    await ctx.waitForSignal("go");
    return ctx.step("after", () => started("after"));
  },
});

const holds = workflow({
  id: "holds",
  run: async (_input, ctx) => {
    await ctx.step("holds", () => {
      started("holds");
      return new Promise<void>((resolve) => ends.push(resolve));
    });
    return ctx.step("last", () => "done");
  },
});

const large = workflow({
  id: "large",
  run: async (_input, ctx) => (await ctx.step("large", () => "x".repeat(9_000_000))).length,
});

const workflows = [steps, waits, holds, large];

beforeEach(() => {
  starts.clear();
  ends.length = 0;
});

const networks: ConnectedNetwork[] = [];

function newNetwork(options: Partial<ConstructorParameters<typeof ConnectedNetwork>[0]> = {}): ConnectedNetwork {
  const network = new ConnectedNetwork({ workflows, ...options });
  networks.push(network);
  return network;
}

// Whatever happens to a run, no connection stays open.
afterEach(async () => {
  for (const { wires } of networks.splice(0)) await expect.poll(() => wires.size).toBe(0);
});

/** The header of a run. */
function headerOf(api: FakeDeployment): Record<string, unknown> {
  return api.storageOf("r").rows.get("record") as Record<string, unknown>;
}

async function expectOnce(api: FakeDeployment, n: number): Promise<void> {
  expect(await until(api, "completed")).toMatchObject({ output: "done", invocationCount: 1 });
  expect(headerOf(api)["crashes"]).toBeUndefined();
  expect([...starts.values()]).toEqual(Array.from({ length: n }, () => 1));
}

describe("a connection", () => {
  test("PIPE1 carries all turns of a busy run, two frames for a step, and is closed at the end of the run", async () => {
    const network = newNetwork();
    const api = network.deploy();
    await trigger(api, "steps", 20);
    await expectOnce(api, 20);
    expect([network.upgrades.length, network.requests.length]).toEqual([1, 0]);
    await expect.poll(() => network.wires.size).toBe(0);
    // Two for the start, and two for the end of the run.
    expect(network.frames.length).toBe(2 * 20 + 4);
  });

  test("PIPE1 is closed while a run waits, and the delivery that wakes it opens another one", async () => {
    const network = newNetwork();
    const api = network.deploy();
    await trigger(api, "waits");
    await until(api, "waiting");
    await expect.poll(() => network.wires.size).toBe(0);
    await api.fetch("/api/runs/r/signals", { json: { name: "go" } });
    await until(api, "completed");
    expect([network.upgrades.length, network.requests.length]).toEqual([2, 0]);
    await expect.poll(() => network.wires.size).toBe(0);
  });

  test("PIPE1 is not opened by default for a run of one step, or to reach the next wait", async () => {
    const network = newNetwork();
    const api = network.deploy({ connectAfter: undefined });
    await trigger(api, "waits");
    await until(api, "waiting");
    await api.fetch("/api/runs/r/signals", { json: { name: "go" } });
    await until(api, "completed");
    expect([network.upgrades.length, network.frames.length]).toEqual([0, 0]);
  });

  test("PIPE1 is opened by default by the third turn of a busy run", async () => {
    const network = newNetwork();
    const api = network.deploy({ connectAfter: undefined });
    await trigger(api, "steps", 20);
    await expectOnce(api, 20);
    expect([network.upgrades.length, network.requests.length]).toEqual([1, 2]);
    // Two turns were requests, which are four messages.
    expect(network.frames.length).toBe(2 * 20 + 4 - 4);
  });

  test("PIPE1 is not opened by a dispatcher with connections: false", async () => {
    const network = newNetwork();
    const api = network.deploy({ connections: false });
    await trigger(api, "steps", 3);
    await expectOnce(api, 3);
    expect(network.upgrades).toEqual([]);
  });

  test("PIPE1 a handler without sessions refuses it, and gets requests", async () => {
    const network = newNetwork({ stateless: true });
    const api = network.deploy();
    await trigger(api, "steps", 2);
    expect(await until(api, "completed")).toMatchObject({ output: "done" });
    expect([network.upgrades.length, network.frames.length]).toEqual([1, 0]);
  });

  test("PIPE6 a result that is too large for a frame comes as the answer to a request", async () => {
    const network = newNetwork();
    const api = network.deploy();
    await trigger(api, "large");
    expect(await until(api, "completed")).toMatchObject({ output: 9_000_000, invocationCount: 1 });
    expect(network.requests.length).toBeGreaterThan(0);
    expect(Math.max(...network.frames.map(({ text }) => text.length))).toBeLessThan(9_000_000);
  });
});

describe("an upgrade", () => {
  const REFUSALS: Readonly<Record<string, () => Response | Promise<Response>>> = {
    "404": () => new Response("not found", { status: 404 }),
    "200": () => new Response("welcome"),
    "503": () => Response.json({ error: "too_many_connections" }, { status: 503 }),
    "a redirect": () => new Response(null, { status: 302, headers: { Location: "https://elsewhere.example" } }),
  };

  test.each(Object.entries(REFUSALS))(
    "PIPE2 answered with %s: requests carry the turns, and further runs try no other upgrade",
    async (_name, answer) => {
      const network = newNetwork();
      network.refuses = answer;
      const api = network.deploy();
      await trigger(api, "steps", 3);
      await expectOnce(api, 3);
      starts.clear();
      await trigger(api, "steps", 3, "another");
      await until(api, "completed", { runId: "another" });
      expect([network.upgrades.length, network.frames.length]).toEqual([1, 0]);
    },
  );

  test("PIPE2 without an answer is given up after 3 s; another follows ten minutes later", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
    try {
      const network = newNetwork();
      const signals: AbortSignal[] = [];
      network.refuses = (request) => {
        signals.push(request.signal);
        return new Promise(() => {});
      };
      const api = network.deploy();
      await trigger(api, "steps", 3);
      await expect.poll(() => signals.length).toBe(1);
      await vi.advanceTimersByTimeAsync(2_900);
      expect([signals[0]?.aborted, network.requests.length]).toEqual([false, 0]);
      await vi.advanceTimersByTimeAsync(200);
      await until(api, "completed");
      expect(signals[0]?.aborted).toBe(true);
      expect(network.requests.length).toBeGreaterThanOrEqual(4);
      network.refuses = () => undefined;
      await trigger(api, "steps", 3, "soon");
      await until(api, "completed", { runId: "soon" });
      expect(network.upgrades.length).toBe(1);
      await vi.advanceTimersByTimeAsync(600_000);
      await trigger(api, "steps", 3, "later");
      await until(api, "completed", { runId: "later" });
      expect(network.upgrades.length).toBe(2);
      expect(network.frames.length).toBeGreaterThan(0);
    } finally {
      vi.useRealTimers();
    }
  });

  test("PIPE2 that fails in the network makes one turn a request, and the next run has a connection", async () => {
    const network = newNetwork();
    network.refuses = () => (network.upgrades.length === 1 ? Promise.reject(new TypeError("refused")) : undefined);
    const api = network.deploy();
    await trigger(api, "steps", 1);
    await expectOnce(api, 1);
    expect(network.requests.length).toBe(1);
    expect(network.upgrades.length).toBe(2);
  });

  test("PIPE2 SEC3 with frames that need a MAC is refused by a step handler without a key, once", async () => {
    const network = newNetwork({ signingKeys: "unsigned" });
    const api = network.deploy({ url: `http://plain-${Date.now()}.example/holdfast` });
    for (const run of ["a", "b"]) {
      await trigger(api, "steps", 4, run);
      expect(await until(api, "completed", { runId: run })).toMatchObject({ output: "done", invocationCount: 1 });
    }
    expect([network.upgrades.length, network.frames.length]).toEqual([1, 0]);
  });

  test("PIPE2 SEC3 with a wrong signature is refused, and so is one that was recorded", async () => {
    const network = newNetwork();
    const api = network.deploy();
    await trigger(api, "steps", 1);
    await until(api, "completed");
    const [request] = network.upgrades as [Request];
    const [handler] = network.handlers;
    const status = async (given: Request): Promise<number | undefined> => {
      const reply = await handler?.connect(given);
      return reply instanceof Response ? reply.status : 101;
    };
    expect(await status(request)).toBe(425);
    expect(await status(new Request(`${request.url}?frames=mac`, request))).toBe(401);
    expect(await status(new Request(request.url))).toBe(401);
    expect(await status(new Request(request.url.replace("/connect", "/turn"), request))).toBe(404);
  });

  test("PIPE4 beyond connectionsMax of the handler is answered 503, and those runs get requests", async () => {
    const network = newNetwork({ connectionsMax: 1 });
    const api = network.deploy();
    await trigger(api, "holds", null, "a");
    await expect.poll(() => ends.length).toBe(1);
    await trigger(api, "steps", 2, "b");
    await until(api, "completed", { runId: "b" });
    expect([network.wires.size, network.upgrades.length]).toEqual([1, 2]);
    expect(network.requests.length).toBeGreaterThan(0);
    ends[0]?.();
    await until(api, "completed", { runId: "a" });
  });

  test("PIPE4 beyond connectionsMax of the dispatcher is not sent, and those runs get requests", async () => {
    const network = newNetwork();
    const api = network.deploy({ connectionsMax: 1 });
    await trigger(api, "holds", null, "a");
    await expect.poll(() => ends.length).toBe(1);
    await trigger(api, "steps", 2, "b");
    await until(api, "completed", { runId: "b" });
    expect(network.upgrades.length).toBe(1);
    ends[0]?.();
    await until(api, "completed", { runId: "a" });
    await trigger(api, "steps", 2, "c");
    await until(api, "completed", { runId: "c" });
    expect(network.upgrades.length).toBe(2);
  });
});

describe("a connection that ends", () => {
  const FRAMES = 2 * 3 + 4;
  const PLACES = Array.from({ length: FRAMES }, (_, place) => place + 1);

  test.each(["cut before", "cut after"] as const)(
    "PIPE5 PIPE1 at any frame is a lost turn: %s it, each body executes once, in one execution",
    async (fault) => {
      for (const place of PLACES) {
        starts.clear();
        const network = newNetwork();
        network.faultOf = (_frame, number) => (number === place ? fault : undefined);
        const api = network.deploy();
        await trigger(api, "steps", 3);
        await expectOnce(api, 3);
      }
    },
  );

  test("PIPE5 three times for one execution is the last one: further turns are requests", async () => {
    const network = newNetwork();
    network.faultOf = () => "cut before";
    const api = network.deploy();
    await trigger(api, "steps", 10);
    await expectOnce(api, 10);
    expect([network.upgrades.length, network.frames.length]).toEqual([3, 3]);
  });

  test("PIPE3 PIPE5 a side that is silent: after ten seconds the turn is repeated as a request, and applied once", async () => {
    for (const direction of ["to handler", "to orchestrator"] as const) {
      starts.clear();
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
      try {
        const network = newNetwork();
        network.faultOf = (frame, number) => (number > 4 && frame.direction === direction ? [] : undefined);
        const api = network.deploy();
        await trigger(api, "steps", 3);
        await expect.poll(() => network.frames.length).toBeGreaterThan(4);
        const isOver = async (): Promise<boolean> => {
          await vi.advanceTimersByTimeAsync(1_000);
          return (await read(api))["status"] === "completed";
        };
        await expect.poll(isOver, { timeout: 30_000 }).toBe(true);
        await expectOnce(api, 3);
        // Of the second connection no frame is answered: frames do not pass, which is remembered like a refusal.
        await trigger(api, "steps", 3, "b");
        await expect.poll(async () => (await read(api, "b"))["status"], { timeout: 10_000 }).toBe("completed");
        expect(network.upgrades.length).toBe(2);
      } finally {
        vi.useRealTimers();
      }
    }
  });

  test("PIPE3 a body of more than ten seconds holds no connection, and its outcome comes as the answer to a request", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
    try {
      const network = newNetwork();
      const api = network.deploy();
      await trigger(api, "holds");
      await expect.poll(() => ends.length).toBe(1);
      await vi.advanceTimersByTimeAsync(300);
      await expect.poll(() => network.frames.length).toBe(3);
      await vi.advanceTimersByTimeAsync(9_900);
      expect(network.wires.size).toBe(1);
      await vi.advanceTimersByTimeAsync(200);
      await expect.poll(() => network.requests.length).toBe(1);
      expect(network.wires.size).toBe(0);
      ends[0]?.();
      await expectOnce(api, 1);
      // The turns after it have a connection again.
      expect(network.upgrades.length).toBe(2);
    } finally {
      vi.useRealTimers();
    }
  });

  test("PIPE5 DUR7 with its process: the next process shows it, and the execution counts as crashed", async () => {
    const network = newNetwork();
    network.faultOf = (_frame, number) => {
      if (number !== 4) return undefined;
      network.handlers = [network.newHandler()];
      return "cut before";
    };
    const api = network.deploy();
    await trigger(api, "steps", 3);
    expect(await until(api, "completed")).toMatchObject({ invocationCount: 2 });
    expect(headerOf(api)["losses"] ?? headerOf(api)["crashes"]).toMatchObject({ count: 1 });
  });

  test("PIPE7 by a drain: the turn in flight is answered first, and the run continues in another process", async () => {
    const network = newNetwork();
    const api = network.deploy();
    await trigger(api, "holds");
    await expect.poll(() => ends.length).toBe(1);
    let isDrained = false;
    void network.handlers[0]?.drain().then(() => {
      isDrained = true;
      network.handlers[0] = network.newHandler();
      network.refuses = () => new Response(null, { status: 503 });
    });
    expect([network.wires.size, isDrained]).toEqual([1, false]);
    const answers = (): number => network.frames.filter(({ direction }) => direction === "to orchestrator").length;
    const before = answers();
    ends[0]?.();
    expect(await until(api, "completed")).toMatchObject({ output: "done" });
    expect([answers(), isDrained, starts.get("holds")]).toEqual([before + 1, true, 1]);
    expect(headerOf(api)["crashes"]).toBeUndefined();
    expect([network.wires.size, network.requests.length > 0]).toEqual([0, true]);
  });

  test("PIPE7 by a drain: a run that executes no body is handed over at once, and no execution begins", async () => {
    const network = newNetwork();
    const api = network.deploy();
    await trigger(api, "waits");
    await until(api, "waiting");
    const [draining] = network.handlers;
    await draining?.drain();
    await trigger(api, "steps", 1, "later");
    await expect.poll(() => network.requests.length).toBeGreaterThan(0);
    expect(starts.get("step 0")).toBeUndefined();
    network.handlers[0] = network.newHandler();
    await api.fetch("/api/runs/r/signals", { json: { name: "go" } });
    await until(api, "completed");
    await until(api, "completed", { runId: "later" });
    expect([...starts.values()]).toEqual([1, 1, 1]);
    expect(headerOf(api)["crashes"]).toBeUndefined();
  });
});

describe("frames", () => {
  const FORGERIES: Readonly<Record<string, (frame: Frame) => readonly string[]>> = {
    "is repeated": ({ text }) => [text, text],
    "is missing": () => [],
    "has another number": ({ text }) => [text.replace(/^\d+/, (number) => String(Number(number) + 1))],
    "has no number": ({ text }) => [text.replace(/^\d+ /, "")],
    "is not JSON": ({ text }) => [text.slice(0, -1)],
    "is empty": () => [""],
  };
  const CASES = Object.keys(FORGERIES).flatMap((name) =>
    (["to handler", "to orchestrator"] as const).flatMap((direction) =>
      ["https", "http"].map((scheme) => [name, direction, scheme] as const),
    ),
  );

  test.each(CASES)("PIPE6 PIPE5 one that %s, %s over %s, ends the connection and changes nothing", async (...given) => {
    const [name, direction, scheme] = given;
    const network = newNetwork();
    let forged = 0;
    network.faultOf = (frame) => {
      if (frame.direction !== direction || (forged += 1) !== 2) return undefined;
      // The frame after a missing one shows that it is missing.
      const then = frame.text.replace(/^\d+/, (number) => String(Number(number) + 1));
      return name === "is missing" ? [then] : FORGERIES[name]?.(frame);
    };
    const api = network.deploy({
      url: `${scheme}://steps-forged-${CASES.indexOf(given)}-${name}.example/holdfast`.replaceAll(" ", "-"),
    });
    await trigger(api, "steps", 3);
    await expectOnce(api, 3);
    expect(network.upgrades.length).toBeGreaterThan(1);
  });

  test("PIPE6 carry a MAC without TLS, and a changed text, number or MAC ends the connection", async () => {
    const changes: ((text: string) => string)[] = [
      (text) => text.replace('"waitMs":300', '"waitMs":301').replace('"type":"report"', '"type": "report"'),
      (text) => text.replace(/^(\d+) [0-9a-f]{64}/, `$1 ${"0".repeat(64)}`),
      (text) => text.replace(/^(\d+) [0-9a-f]{64} /, "$1 "),
    ];
    for (const [index, change] of changes.entries()) {
      for (const direction of ["to handler", "to orchestrator"] as const) {
        starts.clear();
        const network = newNetwork();
        let seen = 0;
        network.faultOf = (frame) => {
          expect(frame.text).toMatch(/^\d+ [0-9a-f]{64} /);
          return frame.direction === direction && (seen += 1) === 2 ? [change(frame.text)] : undefined;
        };
        const api = network.deploy({
          url: `http://steps-mac-${index}-${direction.replace(" ", "-")}.example/holdfast`,
        });
        await trigger(api, "steps", 3);
        await expectOnce(api, 3);
        expect([network.upgrades[0]?.url.endsWith("/connect?frames=mac"), network.upgrades.length]).toEqual([true, 2]);
      }
    }
  });

  test("PIPE6 a frame of one side is none of the other side, although both have one key", async () => {
    const network = newNetwork();
    let first: string | undefined;
    network.faultOf = ({ direction, text }) => {
      if (direction === "to handler") first ??= text;
      return direction === "to orchestrator" && text.startsWith("1 ") ? [first ?? ""] : undefined;
    };
    const api = network.deploy({ url: "http://steps-reflected.example/holdfast" });
    await trigger(api, "steps", 3);
    await expectOnce(api, 3);
  });

  test.each(["http://127.0.0.1:8788", "http://localhost:8788", "http://[::1]:8788", "https://steps.example"])(
    "PIPE6 carry no MAC to %s",
    async (origin) => {
      const network = newNetwork();
      const api = network.deploy({ url: `${origin}/holdfast` });
      await trigger(api, "steps", 1);
      await expectOnce(api, 1);
      expect(network.frames[0]?.text).toMatch(/^1 \{/);
    },
  );

  test("PIPE1 SEC10 an invalid answer in a frame pauses the run, as one to a request does", async () => {
    const network = newNetwork();
    network.faultOf = ({ direction, text }) =>
      direction === "to orchestrator" ? [text.replace('"type":"report"', '"type":"reprot"')] : undefined;
    const api = network.deploy();
    await trigger(api, "steps", 3);
    await until(api, "paused");
    expect(await read(api)).toMatchObject({
      error: { code: "PROTOCOL_MISMATCH", message: expect.stringContaining("answer.type") },
    });
  });
});
