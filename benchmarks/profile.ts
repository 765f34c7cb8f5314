/**
 * `node benchmarks/profile.ts [pipe] [steps]`: profiles the steps of a run inside workerd.
 *
 * Owns: the protocol of the runtime's inspector, and a table of functions by self time. Native work (storage, serialization,
 * the event loop) appears as `(program)`, as the function that called it, or not at all.
 */
import { runToEnd } from "./measures/contest.ts";
import { startPlatform } from "./platform.ts";

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly lineNumber: number };
}

interface Profile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const LINES = 45;
const SAMPLE_EVERY_US = 100;

async function main(): Promise<void> {
  const [pipe = "inline", steps = "5000"] = process.argv.slice(2);
  const platform = await startPlatform({ inspectorPort: 0 });
  try {
    for (let i = 0; i < 5; i++) await runToEnd(platform, `${pipe}-warm-${i}`, "steps", Number(steps));
    const inspector = await connect(`${(await platform.inspector()).origin}/bench`);
    await inspector.send("Profiler.enable");
    await inspector.send("Profiler.setSamplingInterval", { interval: SAMPLE_EVERY_US });
    await inspector.send("Profiler.start");
    const ms = await runToEnd(platform, `${pipe}-profiled`, "steps", Number(steps));
    const { profile } = (await inspector.send("Profiler.stop")) as { readonly profile: Profile };
    console.log(`${pipe}, ${steps} steps: ${Math.round(ms)} ms, ${(ms / Number(steps)).toFixed(3)} ms a step`);
    print(profile);
    inspector.close();
  } finally {
    await platform.dispose();
  }
}

interface Inspector {
  send(method: string, params?: object): Promise<unknown>;
  close(): void;
}

async function connect(url: string): Promise<Inspector> {
  const socket = new WebSocket(url);
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve);
    socket.addEventListener("error", () => reject(new Error(`no inspector at ${url}`)));
  });
  const waiting = new Map<number, (result: unknown) => void>();
  socket.addEventListener("message", ({ data }) => {
    const { id, result } = JSON.parse(String(data)) as { readonly id?: number; readonly result?: unknown };
    if (id !== undefined) waiting.get(id)?.(result);
  });
  let sent = 0;
  return {
    send(method, params = {}) {
      sent += 1;
      const id = sent;
      return new Promise((resolve) => {
        waiting.set(id, resolve);
        socket.send(JSON.stringify({ id, method, params }));
      });
    },
    close: () => socket.close(),
  };
}

/** Prints the functions with the most self time. */
function print({ nodes, samples, timeDeltas }: Profile): void {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, `${callFrame.functionName}:${callFrame.lineNumber}`]));
  const times = new Map<string, number>();
  for (const [i, sample] of samples.entries()) {
    const name = names.get(sample) ?? "?";
    times.set(name, (times.get(name) ?? 0) + (timeDeltas[i] ?? 0) / 1_000);
  }
  const total = [...times.values()].reduce((sum, ms) => sum + ms, 0);
  const most = [...times].toSorted(([, a], [, b]) => b - a).slice(0, LINES);
  for (const [name, ms] of most) {
    console.log(`${ms.toFixed(1).padStart(9)} ms ${((ms / total) * 100).toFixed(1).padStart(5)} %  ${name}`);
  }
}

await main();
