/** tests: a connection of a step handler whose turn fails, and one with a frame that is too long (PIPE6) */
import { HOST_LIMITS, PROTOCOL_VERSION } from "@holdfast/protocol";
import { afterEach, expect, test, vi } from "vitest";
import { Connections } from "../src/handler/connections.ts";
import type { TurnServer } from "../src/handler/turn-server.ts";
import { webPlatform } from "../src/replay/platform.ts";

afterEach(() => void vi.restoreAllMocks());

test("PIPE6 a turn that fails ends its connection and is logged, and the process continues", async () => {
  const failure = new Error("the turn failed");
  const log = vi.spyOn(console, "error").mockImplementation(() => {});
  const unhandled: unknown[] = [];
  const listener = (reason: unknown): void => void unhandled.push(reason);
  process.on("unhandledRejection", listener);
  const server = { turn: () => Promise.reject(failure) } as unknown as TurnServer;
  const { promise: closed, resolve } = Promise.withResolvers<number>();
  const connection = new Connections(server, webPlatform, 1).accept({ send: () => {}, close: resolve }, undefined);
  connection.onMessage(`1 ${JSON.stringify({ protocol: PROTOCOL_VERSION, session: "0".repeat(32), turn: 1 })}`);
  expect(await closed).toBe(1011);
  // Node reports a rejection before the next turn of the event loop.
  await new Promise((done) => setImmediate(done));
  process.off("unhandledRejection", listener);
  expect(unhandled).toEqual([]);
  expect(log.mock.calls.flat()).toContain(failure);
});

test.each([
  ["that is longer than a frame may be", HOST_LIMITS.frameChars + 200, []],
  ["of the longest turn", HOST_LIMITS.frameChars, ["turn"]],
])("PIPE6 a frame %s is read only within the limit, whatever the host lets pass", async (_title, chars, expected) => {
  const turns: string[] = [];
  const server = { turn: async () => (turns.push("turn"), { type: "full" }) } as unknown as TurnServer;
  const { promise: closed, resolve } = Promise.withResolvers<number>();
  const connection = new Connections(server, webPlatform, 1).accept({ send: () => {}, close: resolve }, undefined);
  const turn = JSON.stringify({ protocol: PROTOCOL_VERSION, session: "0".repeat(32), turn: 1 });
  connection.onMessage(`1 ${turn.padEnd(chars)}`);
  expect(await closed).toBe(expected.length === 0 ? 1002 : 1011);
  expect(turns).toEqual(expected);
});
