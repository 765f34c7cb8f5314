/** tests: streams that have rows of their own (STR1, VER1, VER4, REP6) */
import { DEFAULT_LIMITS, type ExecutionEvent, FORMAT_VERSION, type Limits } from "@holdfast/protocol";
import { expect, test } from "vitest";
import { type ChunkRow, type RunHeader, listRows, loadRun } from "../src/index.ts";
import { Bench } from "./bench.ts";

const about = (place: number) => ({ op: `stream/${place}/s`, nth: place + 1 }) as const;

const started = (place: number): ExecutionEvent => ({ type: "stream.started", ...about(place) });

function chunks(place: number, first: number, count: number): ExecutionEvent {
  return { type: "stream.chunks", ...about(place), first, chunks: Array.from({ length: count }, () => '["c"]') };
}

function ended(place: number, count: number, at: number): ExecutionEvent {
  return { type: "step.completed", ...about(place), attempt: 1, startedAt: at, value: `[${count}]` };
}

/** A stream with a chunk that ends. */
function produce(run: Bench, place: number): void {
  run.report(started(place));
  run.report(chunks(place, 0, 1));
  run.report(ended(place, 1, run.now));
}

function bench(headerStreams = 2, limits: Partial<Limits> = {}): Bench {
  const one = new Bench();
  one.limits = { ...DEFAULT_LIMITS, headerStreams, ...limits };
  one.host = one.newHost();
  one.trigger();
  return one;
}

/** The streams in the stored header, and those in rows. */
function stored(run: Bench): { readonly header: unknown[]; readonly rows: unknown[] } {
  const { streams } = run.store.get("record") as RunHeader;
  const rows = [...listRows(run.store, "stream/")].map(([, row]) => row);
  return { header: streams.map(({ op }) => op), rows: rows.map(({ op }) => op) };
}

const opsOf = (first: number, end: number): string[] =>
  Array.from({ length: end - first }, (_, at) => about(first + at).op);

test("REP6 the streams of a run with few streams are in the header, and write no rows of their own", () => {
  const run = bench();
  for (const place of [0, 1]) produce(run, place);
  expect(stored(run)).toEqual({ header: opsOf(0, 2), rows: [] });
  expect((run.store.get("record") as RunHeader).uses).toBeUndefined();
});

test("STR1 each stream is known with its chunks, wherever it is stored, also after an eviction", () => {
  const run = bench();
  for (let place = 0; place < 5; place++) produce(run, place);
  run.report(started(5));
  run.report(chunks(5, 0, 2));
  expect(stored(run)).toEqual({ header: opsOf(0, 2), rows: opsOf(2, 6) });
  run.host.forget();
  expect(run.header.streams.map(({ op, chunks: count }) => [op, count])).toEqual([
    ...opsOf(0, 5).map((op) => [op, 1]),
    [about(5).op, undefined],
  ]);
  run.alarm();
  // The stream continues where its rows end.
  run.report(chunks(5, 2, 1));
  run.report(ended(5, 3, run.now));
  expect(run.header.streams[5]).toMatchObject({ generation: 1, chunks: 3 });
});

test("STR1 a stream with a row that is produced again gets a new generation at its place", () => {
  const run = bench(0);
  run.report(started(0), started(1));
  run.report(chunks(0, 0, 1));
  run.host.forget();
  run.alarm();
  run.report(started(0));
  run.report(chunks(0, 0, 2));
  expect(run.header.streams).toMatchObject([
    { op: about(0).op, generation: 2 },
    { op: about(1).op, generation: 1 },
  ]);
  expect([...run.store.list("chunk/0/2/")]).toHaveLength(1);
});

test("STR1 a stream that starts, has chunks and ends in one report keeps its chunks", () => {
  const run = bench();
  run.report(started(0), chunks(0, 0, 2), chunks(0, 2, 1), ended(0, 3, run.now), started(1), chunks(1, 0, 1));
  expect(run.header.streams).toMatchObject([{ chunks: 3 }, { generation: 1 }]);
  expect([...run.store.list("chunk/0/1/")].map(([, row]) => (row as ChunkRow).chunks.length)).toEqual([2, 1]);
  run.host.forget();
  run.alarm();
  run.report(chunks(1, 1, 1), ended(1, 2, run.now));
  expect(run.header.streams).toMatchObject([{ chunks: 3 }, { chunks: 2 }]);
});

test("STR1 a new generation starts without the chunks that an earlier one has, stored or in the same report", () => {
  const run = bench();
  run.report(started(0));
  run.report(chunks(0, 0, 2));
  run.report(chunks(0, 2, 1), started(0), chunks(0, 0, 1), chunks(0, 1, 1), ended(0, 2, run.now));
  expect(run.header.streams).toMatchObject([{ generation: 2, chunks: 2 }]);
  expect([...run.store.list("chunk/0/2/")]).toHaveLength(2);
});

test.each([{ streamChunks: 3 }, { streamChars: 15 }])(
  "LIM1 the chunks of one report count towards the limits of its stream: %o",
  (limits) => {
    const run = bench(2, limits);
    run.report(started(0), chunks(0, 0, 2), chunks(0, 2, 1));
    expect(run.header.status).toBe("running");
    run.report(chunks(0, 3, 1));
    const other = bench(2, limits);
    other.report(started(0), chunks(0, 0, 2), chunks(0, 2, 2));
    for (const { header } of [run, other])
      expect(header).toMatchObject({ status: "failed", error: { code: "LIMIT_EXCEEDED" } });
  },
);

test("DUR4 the state in memory and the state that is loaded are equal after each change of streams", () => {
  const run = bench(1);
  const steps: (() => unknown)[] = [
    () => run.report(started(0), started(1)),
    () => run.report(chunks(1, 0, 2), started(2), chunks(0, 0, 1)),
    () => run.report(ended(1, 2, run.now)),
    () => run.report(started(0), chunks(0, 0, 1), started(4), chunks(4, 0, 1), ended(4, 1, run.now)),
    () => run.report({ type: "wait.opened", op: "signal/0/s", nth: 9 }, started(3)),
    () => run.host.handle({ type: "deliver", kind: "signal", name: "s", payload: "[1]" }),
    () => run.report(ended(0, 1, run.now), ended(2, 0, run.now)),
    () => run.host.handle({ type: "terminate", reason: "test" }),
  ];
  for (const step of steps) {
    step();
    const { header, streamRows } = run.host.state;
    const loaded = loadRun(run.store);
    expect([loaded.header, [...loaded.streamRows]]).toEqual([header, [...streamRows]]);
  }
});

test("VER1 streams that earlier code stored in the header stay there, and further ones get rows", () => {
  const run = bench(100);
  for (let place = 0; place < 4; place++) run.report(started(place));
  run.limits = { ...run.limits, headerStreams: 2 };
  run.host = run.newHost();
  run.alarm();
  run.report(ended(3, 0, run.now), started(4));
  expect(stored(run)).toEqual({ header: opsOf(0, 4), rows: opsOf(4, 5) });
  run.host.forget();
  expect(run.header.streams.map(({ op, chunks: count }) => [op, count])).toEqual([
    ...opsOf(0, 3).map((op) => [op, undefined]),
    [about(3).op, 0],
    [about(4).op, undefined],
  ]);
});

test("VER4 a run with rows of streams names them, and a row of a newer format makes the run read-only", () => {
  const run = bench();
  for (let place = 0; place < 3; place++) run.report(started(place));
  expect(run.store.get("record")).toMatchObject({ uses: ["stream rows"] });
  for (const [key, row] of run.store.list("stream/")) {
    run.store.commit({ puts: new Map([[key, { ...(row as object), v: FORMAT_VERSION + 1 }]]), deletes: new Set() });
  }
  run.host = run.newHost();
  expect(run.host.handle({ type: "deliver", kind: "signal", name: "s", payload: "[1]" }).type).toBe("refused");
});

test("REP6 the rows and bytes that a stream writes do not grow with the number of streams", () => {
  const costOf = (count: number): { rows: number; bytes: number } => {
    const run = bench(16);
    const cost = { rows: 0, bytes: 0 };
    for (let place = 0; place < count; place++) produce(run, place);
    run.store.afterCommit = ({ puts }) => {
      cost.rows += puts.size;
      cost.bytes += JSON.stringify([...puts]).length;
    };
    produce(run, count);
    return cost;
  };
  const [few, many] = [costOf(20), costOf(2_000)];
  expect(many.rows).toBe(few.rows);
  // Two entries, a row of chunks, and the row of the stream, twice.
  expect(many.rows).toBe(5);
  expect(many.bytes).toBeLessThan(few.bytes * 1.1);
});
