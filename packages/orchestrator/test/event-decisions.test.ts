/** tests: what declarations about events decide, on the pure machines: topics that cancel a run, and triggers */
import { DEFAULT_LIMITS, type EventUse, describeWorkflow, encodeValue } from "@holdfast/protocol";
import { event, workflow } from "@holdfast/workflows";
import { MemoryStore } from "@holdfast/workflows/testing";
import { describe, expect, test } from "vitest";
import {
  type EventDecision,
  applyBatch,
  checkedTransition,
  decideEvent,
  eventUseProblem,
  loadRun,
  topicName,
} from "../src/index.ts";

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

describe("functions as filters", () => {
  const paid = event<{ cents: number; tags: string[] }>("order.paid");
  const left = event<{ why: string }>("customer.left");

  function decided(where: unknown, data: unknown = { cents: 5, tags: ["a"] }): EventDecision {
    const on = [
      { id: "by function", event: paid, where: where as () => boolean },
      { id: "after it", event: paid },
    ];
    const sent = { id: "e-1", name: "order.paid", data: encodeValue(data, "data") };
    return decideEvent(sent, [{ id: "w", on }]);
  }
  const reasonOf = (where: unknown): string | undefined => decided(where).unmatched[0]?.reason;

  test("EVT2 get the data with its type, one each, beside filters as data", () => {
    const found = workflow({
      id: "w",
      on: [
        { id: "many", event: paid, where: ({ cents, tags }) => cents >= 100 && tags.includes("a") },
        { id: "left", event: left, where: (data) => data.why === "price" },
        { id: "data", event: paid, where: { "data.cents": { gte: 100 } }, input: "data.cents" },
        // @ts-expect-error -- the event has no such field
        { id: "other", event: left, where: (data) => data.cents > 1 },
      ],
      run: () => "done",
    });
    const on = found.flow?.on ?? [];
    const sent = { id: "e-1", name: "order.paid", data: encodeValue({ cents: 100, tags: ["a"] }, "data") };
    expect(decideEvent(sent, [{ id: "w", on }]).runs.map(({ trigger }) => trigger)).toEqual(["many", "data"]);
  });

  test("EVT2 match only if they return true, and what they throw or return else is the reason", () => {
    expect(decided(() => true).runs).toHaveLength(2);
    expect(reasonOf(() => false)).toBe("where: the function returned false");
    const odd = [undefined, null, 1, "true", {}, [true], Promise.resolve(true), Symbol("true")];
    for (const value of odd)
      expect(reasonOf(() => value)).toBe("where: the function returned no boolean, so it does not match");
    expect(reasonOf(({ user }: { user: { id: string } }) => user.id === "x")).toMatch(
      /^where: the function threw Cannot read properties of undefined/,
    );
    const thrown = [
      undefined,
      null,
      Object.create(null),
      "x".repeat(1_000_000),
      Symbol("s"),
      new Proxy({}, { get: throws }),
    ];
    for (const value of thrown) {
      const { runs, unmatched } = decided(() => {
        throw value;
      });
      expect(runs.map(({ trigger }) => trigger)).toEqual(["after it"]);
      expect(unmatched[0]?.reason).toMatch(/^where: the function threw /);
      expect(unmatched[0]?.reason.length).toBeLessThan(20_000);
    }
  });

  test("EVT2 what a function changes in the data is seen by no other trigger", () => {
    const changes = (data: { cents: number }): boolean => {
      data.cents = 0;
      return true;
    };
    const inputs = decided(changes).runs.map(({ input }) => input);
    expect(inputs).toEqual([
      encodeValue({ cents: 5, tags: ["a"] }, "data"),
      encodeValue({ cents: 5, tags: ["a"] }, "data"),
    ]);
  });

  test("EVT2 are refused where the code is in another process", () => {
    const here = workflow({ id: "w", on: [{ id: "t", event: paid, where: () => true }], run: () => "done" });
    expect(eventUseProblem({ id: "w", on: here.flow?.on })).toBeUndefined();
    expect(eventUseProblem({ id: "w", on: describeWorkflow(here).flow?.on })).toContain(
      'workflow("w").on[0].where: is a function, and this deployment calls the code in another process',
    );
  });
});

function throws(): never {
  throw new Error("nobody reads this");
}
