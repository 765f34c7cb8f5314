/** tests: what declarations about events decide, on the pure machines: topics that cancel a run, and triggers */
import { DEFAULT_LIMITS, type EventUse, encodeValue } from "@holdfast/protocol";
import { MemoryStore } from "@holdfast/workflows/testing";
import { describe, expect, test } from "vitest";
import { applyBatch, checkedTransition, loadRun, topicName } from "../src/index.ts";

describe("the topics that cancel a run", () => {
  const declared: EventUse = {
    cancelOn: [
      { event: { name: "order.cancelled", key: "id" }, key: "orderId" },
      { event: { name: "customer.left", keyed: true }, key: "customer.id" },
      { event: { name: "order.cancelled", key: "id" }, key: "replaces" },
    ],
  };
  const topicsOf = (input: unknown, from: "workflow" | "listed"): readonly string[] | undefined => {
    const store = new MemoryStore();
    const state = loadRun(store);
    const described = { id: "w", flow: declared };
    const { batch } = checkedTransition(
      state,
      {
        type: "trigger",
        identity: { id: "r", workflowId: "w", tags: [], environment: "test", triggeredBy: "api" },
        input: encodeValue(input, "input"),
        seed: "0".repeat(32),
        ...(from === "listed" ? { listed: described } : {}),
      },
      {
        now: 1_000,
        live: false,
        limits: DEFAULT_LIMITS,
        canSend: true,
        coordinates: true,
        ...(from === "workflow" ? { workflow: described } : {}),
      },
    );
    store.commit(batch);
    applyBatch(state, batch);
    expect(loadRun(store).header).toEqual(state.header);
    return state.header?.cancelOn;
  };

  test.each(["workflow", "listed"] as const)(
    "EVT14 follow from the input, once each, whether the code is here or its %s description was sent",
    (from) => {
      const input = { orderId: 7, customer: { id: "c" }, replaces: "7" };
      expect(topicsOf(input, from)).toEqual([topicName("order.cancelled", "7"), topicName("customer.left", "c")]);
      const odd = { orderId: "", customer: { id: "x\u0002" }, replaces: "y".repeat(300) };
      expect(topicsOf(odd, from)).toBeUndefined();
      expect(topicsOf({ customer: [], __proto__: null }, from)).toBeUndefined();
    },
  );
});
