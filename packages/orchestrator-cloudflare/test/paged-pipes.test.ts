/** tests: a long journal in pages over the real pipes (REP6) */
import {
  type ExecutionStart,
  HOST_LIMITS,
  PAGED_PROTOCOL_VERSION,
  type TurnAnswer,
  type TurnRequest,
} from "@holdfast/protocol";
import { workflow } from "@holdfast/workflows";
import { expect, test } from "vitest";
import { Counter, PIPES } from "./counted-pipes.ts";
import { FakeDeployment } from "./fake-platform.ts";
import { Network, read, trigger } from "./handler-network.ts";

const STEPS = 2_300;
const RESULT = "x".repeat(1_000);

const long = workflow({
  id: "long",
  run: async (_input, ctx) => {
    for (let n = 0; n < STEPS; n++) await ctx.step("step", () => RESULT);
    const token = ctx.waitForToken({ timeout: "1h" });
    const went = await ctx.waitForSignal("go");
    return [went, token.tokenId];
  },
});

/** Waits for a status. The record of a long run takes long to read, so this reads the header. */
async function until(api: FakeDeployment, status: string): Promise<void> {
  const statusNow = async (): Promise<string> => {
    const { alarmAt, rows } = api.storageOf("r");
    if (alarmAt !== null && alarmAt <= Date.now()) await api.alarm("r");
    return (rows.get("record") as { readonly status: string }).status;
  };
  await expect.poll(statusNow, { timeout: 50_000, interval: 20 }).toBe(status);
}

async function outputOf(api: FakeDeployment): Promise<unknown> {
  await until(api, "completed");
  return (await read(api))["output"];
}

/** Notes the largest message. */
class LargestCounter extends Counter {
  largest = 0;
  pages = 0;

  override count(text: string): void {
    super.count(text);
    this.largest = Math.max(this.largest, text.length);
    if (text.length > 500_000) this.pages += 1;
  }

  clear(): void {
    Object.assign(this, { messages: 0, bytes: 0, largest: 0, pages: 0 });
  }
}

test.each(["http", "fetch", "rpc"])(
  "REP6 a replay gets the journal in pages, each once, and no message is larger than a page: %s",
  { timeout: 180_000 },
  async (pipe) => {
    const counter = new LargestCounter();
    const newDispatcher = (): ReturnType<NonNullable<(typeof PIPES)[string]>> =>
      (PIPES[pipe] as NonNullable<(typeof PIPES)[string]>)(counter, [long]);
    let dispatcher = newDispatcher();
    const api = new FakeDeployment(
      [],
      {},
      {
        start: (start, port) => dispatcher.start(start, port),
        readsPages: (id, version) => dispatcher.readsPages?.(id, version) ?? false,
        workflows: () => dispatcher.workflows(),
      },
    );
    await trigger(api, "long");
    await until(api, "waiting");
    dispatcher = newDispatcher();
    api.evict("r");
    counter.clear();
    await api.fetch("/api/runs/r/signals", { json: { name: "go", payload: "went" } });
    expect(await outputOf(api)).toEqual(["went", expect.any(String)]);
    console.log(`${pipe}: ${counter.messages} messages, ${counter.bytes} bytes, the largest ${counter.largest}`);
    // The first page is not counted over RPC. Each page is counted once: pages are not sent twice.
    expect(counter.bytes).toBeLessThan(STEPS * (RESULT.length + 250));
    expect(counter.bytes).toBeGreaterThan(1_000_000);
    expect(counter.largest).toBeLessThan(1.3 * 2 ** 20);
    expect(counter.messages).toBeLessThan(pipe === "fetch" ? 200 : 30);
  },
);

const turnOf = (body: string): TurnRequest => JSON.parse(body) as TurnRequest;

/** Lets a run wait, drops its execution, and continues it with a network that `breaks` requests. */
async function replayed(network: Network, breaks: Network["breaks"]): Promise<TurnRequest[]> {
  const api = network.deploy();
  await trigger(api, "long");
  await until(api, "waiting");
  network.handlers = [network.newHandler()];
  api.evict("r");
  network.requests.length = 0;
  network.breaks = breaks;
  await api.fetch("/api/runs/r/signals", { json: { name: "go", payload: "went" } });
  expect(await outputOf(api)).toEqual(["went", expect.any(String)]);
  return network.requests.map(turnOf);
}

const startsOf = (turns: readonly TurnRequest[]): ExecutionStart[] => turns.flatMap(({ start }) => start ?? []);

test("REP6 a turn with a page that is lost, whose answer is lost, or that arrives twice is applied once", async () => {
  const network = new Network({ workflows: [long] });
  const seen = new Map<number, number>();
  const turns = await replayed(network, async (_number, request, pass) => {
    const { page } = turnOf(await request.clone().text());
    const times = page === undefined ? 9 : (seen.get(page.after) ?? 0);
    if (page !== undefined) seen.set(page.after, times + 1);
    if (times === 0) throw new TypeError("the request was lost");
    const answer = await pass();
    if (times === 1) throw new TypeError("the answer was lost");
    return answer;
  });
  expect(startsOf(turns)).toHaveLength(1);
  expect(startsOf(turns)[0]).toMatchObject({ protocol: PAGED_PROTOCOL_VERSION, more: { lastSeq: STEPS + 3 } });
  expect([...seen.values()]).toEqual([...seen.keys()].map(() => 3));
  expect(seen.size).toBeGreaterThanOrEqual(2);
});

test("REP6 DUR11 a handler that restarts between two pages gets another start", async () => {
  const network = new Network({ workflows: [long] });
  let restarted = false;
  const turns = await replayed(network, async (_number, request, pass) => {
    if (turnOf(await request.clone().text()).page === undefined || restarted) return pass();
    restarted = true;
    network.handlers = [network.newHandler()];
    throw new TypeError("the connection broke");
  });
  expect(startsOf(turns).map(({ epoch }) => epoch)).toEqual([2, 3]);
});

test("REP6 VER2 a handler that refuses pages gets the whole journal, and no epoch is spent", async () => {
  const network = new Network({ workflows: [long] });
  const turns = await replayed(network, async (_number, request, pass) => {
    const { session, start } = turnOf(await request.clone().text());
    if (start?.protocol !== PAGED_PROTOCOL_VERSION) return pass();
    // The answer of a handler of an earlier version.
    const error = { name: "HoldfastError", code: "PROTOCOL_MISMATCH", message: "version 2 of the protocol" };
    const answer: TurnAnswer = { session, type: "lost", error };
    return Response.json(answer);
  });
  const starts = startsOf(turns);
  expect(starts.map(({ epoch, protocol }) => [epoch, protocol])).toEqual([
    [2, PAGED_PROTOCOL_VERSION],
    [2, 1],
  ]);
  expect(starts[1]).not.toHaveProperty("more");
  expect(starts[1]?.journal.length).toBeGreaterThanOrEqual(STEPS + 2);
});

test("REP6 a handler that holds no sessions gets the whole journal", { timeout: 180_000 }, async () => {
  const some = workflow({
    id: "long",
    run: async (_input, ctx) => {
      await ctx.parallel(
        Array.from({ length: 1_500 }, (_, n) => n),
        (n) => ctx.step("step", async () => n),
      );
      return [await ctx.waitForSignal("go"), await ctx.step("last", () => "x")];
    },
  });
  const turns = await replayed(new Network({ workflows: [some], stateless: true }), (_n, _r, pass) => pass());
  const refused = startsOf(turns).filter(({ more }) => more !== undefined);
  expect(refused.length).toBeLessThanOrEqual(1);
});

test("REP6 a run whose journal is too large for one body to a handler without sessions is paused with the remedy", async () => {
  const network = new Network({ workflows: [long] });
  const api = network.deploy();
  await trigger(api, "long");
  await until(api, "waiting");
  const stateless = new Network({ workflows: [long], stateless: true, bodyBytesMax: 1_500_000 });
  network.handlers = [stateless.newHandler()];
  api.evict("r");
  network.requests.length = 0;
  await api.fetch("/api/runs/r/signals", { json: { name: "go", payload: "went" } });
  await until(api, "paused");
  const { error } = (await read(api)) as { readonly error: { readonly code: string; readonly message: string } };
  expect(error.code).toBe("DISPATCH_REFUSED");
  expect(error.message).toMatch(/answered 413: .*\(bodyBytesMax\)\. .*without sessions .* with sessions/);
  // The first page, and the whole journal.
  expect(network.requests).toHaveLength(2);
});

test("LIM2 a handler without sessions accepts bodies of 32 MiB unless its options say otherwise", async () => {
  const handler = new Network({ workflows: [long], stateless: true }).newHandler();
  const headers = { "Content-Length": String(HOST_LIMITS.statelessTurnBytes + 1) };
  const answer = await handler(
    new Request("https://steps.example/holdfast/turn", { method: "POST", headers, body: "{}" }),
  );
  expect(answer.status).toBe(413);
  expect(await answer.json()).toMatchObject({ message: expect.stringContaining("33554432 bytes") });
});
