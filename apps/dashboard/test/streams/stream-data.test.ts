/** Which chunks of a stream count. */
import type { RunEvent } from "@holdfast/workflows/client";
import { expect, test } from "vitest";
import { StreamsData, tailOf } from "../../src/streams/stream-data.ts";

const chunk = (index: number, value: unknown, generation = 1, stream = "reply"): RunEvent => ({
  type: "chunk",
  id: `${index}`,
  data: { stream, generation, index, value },
});

test("LIVE6 a chunk that arrives twice counts once, whatever the order", () => {
  const data = new StreamsData();
  data.take([chunk(0, "a"), chunk(1, "b")]);
  data.take([chunk(1, "b"), chunk(3, "d")]);
  data.take([chunk(2, "c"), chunk(0, "a")]);
  expect([data.of("reply")?.chunks, data.of("reply")?.chars]).toEqual([["a", "b", "c", "d"], 4]);
});

test("LIVE6 chunks of a higher generation replace those of earlier ones, which are ignored from then on", () => {
  const data = new StreamsData();
  data.take([chunk(0, "old"), chunk(1, "older"), chunk(0, "new", 2), chunk(2, "late", 1)]);
  expect(data.of("reply")).toMatchObject({ generation: 2, chunks: ["new"], chars: 3 });
});

test("LIVE6 streams do not mix, and other events change nothing", () => {
  const data = new StreamsData();
  data.take([chunk(0, "a", 1, "one"), chunk(0, { b: 1 }, 1, "__proto__")]);
  const { value } = data.version;
  data.take([{ type: "progress", id: "1", data: { steps: [] } }, chunk(0, "a", 1, "one")]);
  expect([data.names, data.version.value - value]).toEqual([["one", "__proto__"], 0]);
  expect([data.of("one")?.isText, data.of("__proto__")?.isText]).toEqual([true, false]);
});

test("LIVE6 of a large text only the end is joined", () => {
  const chunks = Array.from({ length: 100_000 }, (_, index) => `${index},`);
  expect(tailOf({ chunks }, 12)).toBe("99998,99999,");
  expect(tailOf({ chunks: ["a", "b"] }, Infinity)).toBe("ab");
});
