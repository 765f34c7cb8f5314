/**
 * `pnpm demo`: a workflow that survives kill -9, on the real runtime, in one terminal.
 *
 * Owns: the options, the start and the clean-up, the proof at the end, and the exit code. The code is 0 only if all
 * conditions hold.
 */
import { parseArgs } from "node:util";
import { buildDashboard } from "@holdfast/dashboard/build";
import type { RunRecord } from "@holdfast/proof/crash";
import { CounterServer } from "@holdfast/proof/crash";
import type { LocalRuntime } from "@holdfast/local-runtime";
import { playStory } from "./story.ts";
import { Timeline, paint, printTable } from "@holdfast/local-runtime/terminal";
import { ensure } from "@holdfast/local-runtime/until";

const HELP = `
  pnpm demo            Runs an order through the engine on a local workerd (the runtime of Cloudflare
                       Workers), kills workerd with SIGKILL twice, and shows that nothing
                       is lost and no completed step runs twice. Takes about 10 seconds. On a terminal
                       it then serves the page of its run until Ctrl-C.
  pnpm demo --keep     The same, also without a terminal.
  pnpm demo --no-keep  Ends at once.
  pnpm demo --help     Prints this text.
  pnpm crash           Runs the crash test: a hundred orders, a hundred kills at random moments.

  Exits with 0 if all conditions hold, otherwise with 1 and the reason. The state is in a temporary
  directory that is removed at the end. NO_COLOR turns colours off.
`;

/** The promised counts of each step body: [starts, completions, the reason]. */
const PROMISED = {
  reserve: [1, 1, "ran once: it completed before the kills"],
  charge: [1, 1, "ran once: it completed before the kills"],
  ship: [2, 1, "interrupted by the kill, ran again, completed once"],
} as const;

const options = readOptions();
if (options.help) console.log(HELP);
else await main(options.keep);

async function main(keep: boolean): Promise<void> {
  console.log(`\n  ${paint("bold", "Holdfast")}: a workflow that survives kill -9`);
  let shown = false;
  // process.exit() runs the exit hooks: miniflare's hook ends workerd, and the runtime's hook removes the state.
  process.once("SIGINT", () => process.exit(shown ? 0 : 130));
  const timeline = new Timeline();
  const counter = await CounterServer.start();
  // This import is dynamic because loading miniflare and wrangler takes a second.
  const { startLocalRuntime } = await import("@holdfast/local-runtime");
  await buildDashboard();
  const runtime = await startLocalRuntime();
  try {
    timeline.event("●", "ready", `workerd at ${runtime.url}, pid ${runtime.pid()}, state in ${runtime.directory}`);
    const run = await playStory({ runtime, counter, timeline });
    shown = true;
    showRecord(run);
    showProof(counter);
    console.log(
      `\n  ${paint(["green", "bold"], "As promised.")} ${(timeline.elapsedMs / 1_000).toFixed(1)} s in all.\n`,
    );
    showPage(`${runtime.url}/ui/runs/${run.id}`, keep);
    if (keep) await keepRunning(runtime, run.id);
  } catch (error) {
    printFailure(error, runtime.log);
    process.exitCode = 1;
  } finally {
    await runtime.dispose();
    await counter.close();
  }
}

function readOptions(): { keep: boolean; help: boolean } {
  const known = { keep: { type: "boolean" }, help: { type: "boolean", short: "h" } } as const;
  try {
    const { keep = process.stdout.isTTY, help = false } = parseArgs({ options: known, allowNegative: true }).values;
    return { keep, help };
  } catch (error) {
    console.error(`${(error as Error).message}\n${HELP}`);
    return process.exit(1);
  }
}

function showRecord({ id, status, output, invocationCount, steps }: RunRecord): void {
  console.log(`\n  ${paint("bold", "The record")}  GET /api/runs/${id}`);
  console.log(`    status    ${status}`);
  console.log(`    output    ${JSON.stringify(output)}`);
  console.log(
    `    steps     ${steps.map(({ name, status: is, attempts }) => `${name} ${is} (attempts: ${attempts})`).join(", ")}`,
  );
  console.log(
    `    started   ${invocationCount} times: the function is replayed from the journal after each interruption`,
  );
  ensure(status === "completed", `the run is ${status}`);
  const expected = { orderId: "1001", chargeId: "charge-1001", parcel: "parcel-for-hold-1001" };
  ensure(JSON.stringify(output) === JSON.stringify(expected), `the output is ${JSON.stringify(output)}`);
}

/** Compares the counts of the counter server with the promised counts. */
function showProof(counter: CounterServer): void {
  const rows = Object.entries(PROMISED).map(([step, [started, completed, why]]) => {
    const counted = [counter.count(step, "start"), counter.count(step, "end")] as const;
    const right = counted[0] === started && counted[1] === completed;
    return { right, cells: [step, ...counted, right ? why : `WRONG: promised ${started} and ${completed}`] };
  });
  printTable(
    ["step", "bodies started", "bodies completed", "verdict"],
    rows.map((row) => row.cells),
  );
  const wrong = rows.filter((row) => !row.right).map((row) => row.cells[0]);
  ensure(wrong.length === 0, `the bodies of ${wrong.join(" and ")} did not run as often as promised`);
}

/** The address ends with the runtime. */
function showPage(url: string, keep: boolean): void {
  console.log(`  ${paint("bold", "Look at the run in a browser:")} ${paint("cyan", url)}`);
  if (!keep)
    console.log("  The runtime ends now, and the page with it. npx -y pnpm@12.21.0 demo --keep leaves it running.\n");
}

function printFailure(error: unknown, log: readonly string[]): void {
  console.error(
    `\n  ${paint(["red", "bold"], "Not as promised.")} ${error instanceof Error ? error.message : String(error)}`,
  );
  if (log.length > 0) console.error(`\n  The newest lines of the runtime's log:\n    ${log.slice(-10).join("\n    ")}`);
}

/** Prints commands to try. Ctrl-C ends the process. */
async function keepRunning(runtime: LocalRuntime, doneId: string): Promise<never> {
  const { url } = runtime;
  const post = (path: string, body: string): string =>
    `curl -s -X POST ${url}${path} -H 'Content-Type: application/json' -d '${body}'`;
  const mine = "/api/runs/mine-1";
  console.log(`
  ${paint("bold", "The runtime is still running. Try in another terminal:")}

    ${paint("dim", "# trigger an order, which then waits for approval")}
    ${post("/api/runs", '{"runId":"mine-1","workflowId":"order","input":{"orderId":"7","cents":990,"shippingMs":8000}}')}
    ${paint("dim", "# read this order and the completed one")}
    curl -s ${url}${mine}
    curl -s ${url}/api/runs/${doneId}
    ${paint("dim", "# approve it")}
    ${post(`${mine}/signals`, '{"name":"approval","payload":{"ok":true,"by":"me"}}')}
    ${paint("dim", "# kill the runtime during the shipping (it restarts with another pid)")}
    kill -9 ${runtime.pid()}
    ${paint("dim", "# read the journal")}
    curl -s ${url}${mine}/journal
    ${paint("dim", "# or cancel the order before it ends")}
    ${post(`${mine}/cancel`, '{"reason":"changed my mind"}')}

  Ctrl-C ends the runtime and removes the state.`);
  return new Promise<never>(() => {});
}
