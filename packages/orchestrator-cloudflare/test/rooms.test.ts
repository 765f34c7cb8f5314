/** tests: the folders of the adapter know each other in one direction */
import { globSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { expect, test } from "vitest";

const SOURCE = join(import.meta.dirname, "../src");

/** What stands in one row may import what stands in the rows above it, and nothing else. */
const ROWS = [
  ["platform-types", "refusal"],
  ["request-body"],
  ["auth", "dispatch", "feed", "index-object", "telemetry"],
  ["run-object"],
  ["api"],
  ["worker"],
  ["deployment", "index"],
];

const rowOf = (room: string): number => ROWS.findIndex((row) => row.includes(room));

/** A folder of `src`, or a file in it without its ending. */
const roomOf = (path: string): string => (path.split("/")[0] ?? "").replace(/\.ts$/, "");

const ARROWS = globSync("**/*.ts", { cwd: SOURCE }).flatMap((path) =>
  [...readFileSync(join(SOURCE, path), "utf8").matchAll(/from "(\.[^"]+)"/g)].map(([, specifier = ""]) => ({
    path,
    from: roomOf(path),
    to: roomOf(posix.join(posix.dirname(path), specifier)),
  })),
);

test("every folder of the adapter has its row", () => {
  expect(ARROWS.length).toBeGreaterThan(100);
  expect(new Set(ARROWS.flatMap(({ from, to }) => [from, to]).filter((room) => rowOf(room) < 0))).toEqual(new Set());
});

test("no folder of the adapter imports one of its own row or of a later one", () => {
  const wrong = ARROWS.filter(({ from, to }) => from !== to && rowOf(to) >= rowOf(from));
  expect(wrong.map(({ path, to }) => `${path} imports ${to}`)).toEqual([]);
});
