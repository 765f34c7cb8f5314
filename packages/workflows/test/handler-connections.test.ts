/** tests: a connection of a step handler whose turn fails (PIPE6) */
import { PROTOCOL_VERSION } from "@holdfast/protocol";
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
