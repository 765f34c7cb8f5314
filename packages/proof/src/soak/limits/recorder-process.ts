/**
 * `node recorder-process.ts <max> <body ms>`: counts the bodies that execute at the same time. This process is never killed.
 *
 * Owns: what counts as executing: a request without an answer. The end of its connection ends it, as the death of a process
 * does. A run that holds from start to end counts from its first body to the answer of its last one.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** What a body sends. `span`: its run holds between its bodies, too. */
interface Body {
  readonly runId: string;
  readonly span: boolean;
  readonly last: boolean;
}

export interface Recorded {
  readonly bodies: number;
  /** Bodies whose process died. */
  readonly interrupted: number;
  /** The most runs that executed or held at the same time. */
  readonly most: number;
  /** How often one more run began than the limit has places, and for how long there were too many, ms. */
  readonly over: number;
  readonly overMs: number;
  /** The runs at the first of these moments. */
  readonly first: readonly string[];
}

const [max, bodyMs] = process.argv.slice(2).map(Number) as [number, number];
const executing = new Map<string, number>();
const spans = new Set<string>();
const counts = { bodies: 0, interrupted: 0, most: 0, over: 0, overMs: 0 };
let first: readonly string[] = [];
let overSince: number | undefined;

function runsNow(): readonly string[] {
  return [...new Set([...executing.keys(), ...spans])];
}

function changed(begins: boolean): void {
  const runs = runsNow();
  counts.most = Math.max(counts.most, runs.length);
  const now = performance.now();
  if (overSince !== undefined && runs.length <= max) {
    counts.overMs += now - overSince;
    overSince = undefined;
  }
  if (runs.length <= max || !begins) return;
  overSince ??= now;
  counts.over += 1;
  if (first.length === 0) first = runs;
}

function change(runId: string, by: 1 | -1): void {
  const count = (executing.get(runId) ?? 0) + by;
  if (count === 0) executing.delete(runId);
  else executing.set(runId, count);
}

const server = createServer((request, response) => {
  let text = "";
  request.on("data", (part: Buffer) => (text += part.toString()));
  request.on("end", () => {
    const { runId, span, last } = JSON.parse(text) as Body;
    counts.bodies += 1;
    change(runId, 1);
    if (span) spans.add(runId);
    changed(true);
    let isOver = false;
    const over = (): boolean => {
      if (isOver) return false;
      isOver = true;
      change(runId, -1);
      return true;
    };
    const timer = setTimeout(() => {
      over();
      if (last) spans.delete(runId);
      changed(false);
      response.end("ok");
    }, bodyMs);
    response.on("close", () => {
      if (!over()) return;
      clearTimeout(timer);
      counts.interrupted += 1;
      changed(false);
    });
  });
});
server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
process.on("message", () => process.send?.({ ...counts, first } satisfies Recorded));
process.on("disconnect", () => process.exit());
