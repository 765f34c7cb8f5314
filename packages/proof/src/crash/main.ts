/**
 * `pnpm crash`: a hundred orders and a hundred kills at random moments. No order may be lost, and no step repeated.
 *
 * Owns: the options, the kills, and the exit code. workerd is killed 0 to 40 ms after the 201 of each trigger, so older
 * orders that are still in flight are interrupted too. `order.ts` follows each order; `verdict.ts` checks the results.
 */
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { Api } from "./api.ts";
import { CounterServer } from "./counter-server.ts";
import { Random } from "../simulator/random.ts";
import { Order } from "./order.ts";
import { type CrashResults, printVerdict } from "./verdict.ts";
import type { LocalRuntime } from "@holdfast/local-runtime";
import { ProgressLine, paint } from "@holdfast/local-runtime/terminal";

const HELP = `
  pnpm crash               Triggers 100 orders, each followed by kill -9 at a random moment.
  pnpm crash --runs N      N orders and kills instead, 1 to 10000.
  pnpm crash --seed S      Repeats the random moments of the run that printed this seed.

  Exits with 0 if every accepted order completed and no completed step ran again, otherwise with 1.
`;

const KILL_AFTER_MS_MAX = 40;
/** How long a request is repeated while the runtime is down, ms. */
const RETRY_MS_MAX = 60_000;
/** All orders must complete within this time after the last kill, ms. */
const ENDS_MS_MAX = 90_000;

interface Options {
  readonly runs: number;
  readonly seed: number;
}

const options = readOptions();
if (options !== undefined) await main(options);

async function main({ runs, seed }: Options): Promise<void> {
  const startedAt = performance.now();
  console.log(`\n  ${paint("bold", "Holdfast")}: ${runs} orders, and kill -9 after each. Seed ${seed}.\n`);
  // process.exit() runs the exit hooks: miniflare's hook ends workerd, and the runtime's hook removes the state.
  process.once("SIGINT", () => process.exit(130));
  const counter = await CounterServer.start();
  // This import is dynamic because loading miniflare and wrangler takes a second.
  const { startLocalRuntime } = await import("@holdfast/local-runtime");
  const runtime = await startLocalRuntime();
  try {
    printVerdict(await killRepeatedly(runtime, counter, runs, new Random(seed)), counter);
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
    console.log(`\n  ${paint(["green", "bold"], "Nothing lost, nothing repeated.")} ${seconds} s in all.\n`);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    console.error(`\n  ${paint(["red", "bold"], "Not as promised.")} ${message}\n  Seed ${seed}.`);
    if (runtime.log.length > 0) console.error(`  The runtime's log:\n    ${runtime.log.slice(-10).join("\n    ")}`);
    process.exitCode = 1;
  } finally {
    await runtime.dispose();
    await counter.close();
  }
}

/** Triggers orders and kills workerd, then waits until every order has ended or the time limit is reached. */
async function killRepeatedly(
  runtime: LocalRuntime,
  counter: CounterServer,
  runs: number,
  random: Random,
): Promise<CrashResults> {
  const api = new Api(runtime.url, RETRY_MS_MAX);
  const orders: Order[] = [];
  const downMs: number[] = [];
  const killPoints = new Map<string, number>();
  const progress = new ProgressLine(() => describeProgress(orders, runs, downMs.length));
  for (let number = 1; number <= runs; number++) {
    const order = new Order({ api, counter }, number);
    await order.trigger();
    orders.push(order);
    await delay(random.next() * KILL_AFTER_MS_MAX);
    const where = order.describeProgress();
    killPoints.set(where, (killPoints.get(where) ?? 0) + 1);
    downMs.push(await kill(runtime));
  }
  await waitForEnds(orders);
  // Kill once more, so that the results are read from the disk and not from memory.
  downMs.push(await kill(runtime));
  await Promise.all(orders.map((order) => order.readAgain()));
  progress.end();
  return { orders, killPoints, downMs, interruptedRequests: api.interrupted, serverErrors: api.serverErrors };
}

/** Waits for all orders. At the time limit it stops following them, and the verdict reports the orders that have not ended. */
async function waitForEnds(orders: readonly Order[]): Promise<void> {
  const timer = setTimeout(() => {
    for (const order of orders) order.stopFollowing();
  }, ENDS_MS_MAX);
  await Promise.all(orders.map((order) => order.followed));
  clearTimeout(timer);
}

/** Returns the time from the kill to the first answer of the next workerd, ms. */
async function kill(runtime: LocalRuntime): Promise<number> {
  const killedAt = performance.now();
  await runtime.kill();
  return performance.now() - killedAt;
}

function describeProgress(orders: readonly Order[], runs: number, kills: number): string {
  const ended = orders.filter((order) => order.hasEnded).length;
  const bar = "█".repeat(Math.floor((ended / runs) * 30)).padEnd(30, "·");
  return `${bar}  ${orders.length} accepted, ${kills} kills, ${ended} ended`;
}

/** Returns `undefined` if the options ask for the help text. */
function readOptions(): Options | undefined {
  try {
    const { values } = parseArgs({
      options: {
        runs: { type: "string", default: "100" },
        seed: { type: "string", default: String(Math.floor(Math.random() * 1e9)) },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    if (!values.help)
      return {
        runs: wholeNumber("--runs", values.runs, 1, 10_000),
        seed: wholeNumber("--seed", values.seed, 0, 2 ** 32),
      };
    console.log(HELP);
    return undefined;
  } catch (error) {
    console.error(`${(error as Error).message}\n${HELP}`);
    return process.exit(1);
  }
}

function wholeNumber(name: string, text: string, min: number, max: number): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= min && number <= max) return number;
  throw new Error(`${name} takes a whole number from ${min} to ${max}, not ${text}.`);
}
