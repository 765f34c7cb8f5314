/** tests: what a replay of an event starts again */
import { encodeValue } from "@holdfast/protocol";
import { MemoryStore } from "@holdfast/workflows/testing";
import { expect, test } from "vitest";
import { CoordinatorHost, type SendResult, eventMachine } from "../src/index.ts";

const REFUSED: SendResult = {
  type: "refused",
  error: { name: "Error", code: "IDEMPOTENCY_CONFLICT", message: "another input" },
};

test("EVT11 a replay of what is missing starts a run again that could not start, and none that started", () => {
  const results: Record<string, SendResult> = { fails: REFUSED, starts: { type: "acknowledged" } };
  const sent: string[] = [];
  const host = new CoordinatorHost({
    machine: eventMachine,
    self: { kind: "event", name: "e" },
    store: new MemoryStore(),
    clock: () => 1_000,
    send: (to, _message, done) => {
      if (to.kind !== "run") return;
      sent.push(to.name);
      done(results[to.name] ?? { type: "unreachable" });
    },
    erase: () => {},
  });
  const run = (runId: string) => ({ trigger: runId, workflowId: "w", workflowVersion: undefined, runId, input: "-1" });
  const decision = { runs: [run("fails"), run("starts")], topic: undefined, unmatched: [] };
  const event = { id: "e", name: "n", data: encodeValue(1, "") };
  host.command({ type: "accept", event, decision, origin: { by: "me", environment: "e" } });
  const states = (): unknown => host.command({ type: "read" });
  expect(states()).toMatchObject({
    body: { targets: [{ runId: "fails", state: "failed", code: "IDEMPOTENCY_CONFLICT" }, { state: "started" }] },
  });
  results["fails"] = { type: "acknowledged" };
  host.command({ type: "replay", mode: "missing", decision, waits: false, by: "me" });
  expect(states()).toMatchObject({
    body: { targets: [{ runId: "starts" }, { runId: "fails", state: "started" }] },
  });
  expect(sent).toEqual(["fails", "starts", "fails"]);
});
