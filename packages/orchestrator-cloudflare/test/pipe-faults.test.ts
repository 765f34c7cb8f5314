/**
 * tests: real step handlers on a network with random faults, in virtual time: lost requests and answers, requests that
 * hang, answers that are nonsense, processes that restart, several instances, handlers without sessions, and few sessions
 */
import { Random } from "@holdfast/proof";
import { randomSeed } from "@holdfast/proof/output";
import { workflow } from "@holdfast/workflows";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { FakeDeployment } from "./fake-platform.ts";
import { Network, trigger } from "./handler-network.ts";
import { VirtualTime, virtualPlatform } from "./virtual-time.ts";

beforeEach(() => VirtualTime.begin());
afterEach(() => VirtualTime.end());

/** Faults happen in the first requests only, so each run can end. */
const FAULTY_REQUESTS = 14;
const SEEDS = 100;

/** A run ends within this time, ms: some faults are noticed only after the time-out of a request. */
const RUN_MS_MAX = 600_000;

const KINDS = ["request lost", "answer lost", "nonsense", "restart", "overload", "hangs"] as const;

interface Played {
  readonly seed: number;
  readonly status: unknown;
  readonly output: unknown;
  /** Bodies that started more often than once and once for each fault. */
  readonly doubled: readonly string[];
}

async function play(seed: number): Promise<Played> {
  const random = new Random(seed);
  const starts = new Map<string, number>();
  const body = async (name: string): Promise<string> => {
    starts.set(name, (starts.get(name) ?? 0) + 1);
    await new Promise((resolve) => {
      setTimeout(resolve, random.chance(0.2) ? random.below(60_000) : random.below(200));
    });
    return name;
  };
  const work = workflow({
    id: "work",
    run: async (_input, ctx) => {
      const first = await ctx.step("first", () => body("first"));
      const rest = await ctx.parallel(["a", "b", "c"], (name) => ctx.step(name, () => body(name)));
      return [first, ...rest, await ctx.step("last", () => body("last"))].join("");
    },
  });
  const stateless = random.chance(0.3);
  const network = new Network(
    {
      workflows: [work],
      stateless,
      sessionsMax: 1 + random.below(3),
      idleMsMax: 1_000 + random.below(60_000),
      platform: virtualPlatform,
    },
    random.chance(0.5) ? 1 : 2,
  );
  let faults = 0;
  network.breaks = async (number, _request, pass) => {
    const kind = random.chance(0.3) && number <= FAULTY_REQUESTS ? random.pick(KINDS) : undefined;
    if (kind === undefined) return pass();
    faults += 1;
    if (kind === "hangs") return new Promise(() => {});
    if (kind === "overload") return new Response("later", { status: 503 });
    if (kind !== "request lost") await pass();
    if (kind === "nonsense") return Response.json({ type: "report", report: [] });
    if (kind === "restart") network.handlers[number % network.handlers.length] = network.newHandler();
    throw new TypeError("the connection broke");
  };
  const api = network.deploy();
  await trigger(api, "work");
  const { status, output } = await untilEnded(api);
  const doubled = [...starts].filter(([, count]) => count > 1 + faults).map(([name]) => name);
  return { seed, status, output, doubled };
}

async function untilEnded(api: FakeDeployment): Promise<{ readonly status: unknown; readonly output: unknown }> {
  const time = new VirtualTime(api, "r");
  for (const startedAt = Date.now(); Date.now() - startedAt < RUN_MS_MAX;) {
    const { status, output } = api.storageOf("r").rows.get("record") as { status: string; output?: unknown };
    if (status !== "running") return { status, output };
    await time.advance();
  }
  return { status: "stuck", output: undefined };
}

test(
  `DUR11 DUR8 runs on a network with random faults end, and a body starts at most once more for each fault (${SEEDS} seeds)`,
  { timeout: 180_000 },
  async () => {
    const from = randomSeed();
    const seeds = Array.from({ length: SEEDS }, (_, place) => from + place);
    const played: Played[] = [];
    for (const seed of seeds) played.push(await play(seed));
    expect(played).toEqual(
      seeds.map((seed) => ({ seed, status: "completed", output: '["firstabclast"]', doubled: [] })),
    );
  },
);
