/** Checks what a workflow may declare about flow control, and what the refusals say. */
import { type FlowOptions, describeWorkflow } from "@holdfast/protocol";
import { limit, workflow } from "@holdfast/workflows";
import { describe, expect, test } from "vitest";
import { type Flow, checkOrder, readFlow } from "../src/index.ts";

const read = (flow: unknown): Flow | undefined => readFlow({ id: "order", flow: flow as FlowOptions });

function problemOf(flow: unknown): string {
  try {
    read(flow);
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}

const rate = { limit: 1, per: "1m" };

describe("the flow control of a workflow", () => {
  test("FLOW1 a declaration gets the defaults, and its limits are in order", () => {
    const perCustomer = limit("customer", { key: (input: { customerId: string }) => input.customerId, max: 2 });
    const openai = limit("openai", { max: 20, rate: { limit: 500, per: "1m", burst: 50 } });
    const { flow } = workflow({
      id: "order",
      limits: [perCustomer.hold("run"), openai],
      singleton: { key: "input.customerId", onConflict: "queue" },
      run: (input: { customerId: string }) => input.customerId,
    });
    expect(read(flow)?.limits).toMatchObject([
      { name: "customer", mode: "run", onFull: "queue", settings: { max: 2 } },
      { name: "singleton:order", mode: "run", onFull: "queue", key: "input.customerId", settings: { max: 1 } },
      { name: "openai", mode: "active", settings: { max: 20, rate: { limit: 500, perMs: 60_000, burst: 50 } } },
    ]);
    expect(read({ debounce: { wait: "1s" } })?.debounce).toMatchObject({
      waitMs: 1_000,
      maxWaitMs: 10_000,
      take: "last",
    });
    expect(read({ batch: { max: 3, wait: 5 } })?.batch).toMatchObject({ max: 3, waitMs: 5, maxBytes: 1_048_576 });
  });

  test("FLOW1 whatever a step handler lists is read, or refused with the place", () => {
    const one = { name: "a", max: 1 };
    const odd = [
      null,
      5,
      "x",
      true,
      [],
      {},
      [null],
      [5],
      [[]],
      [{}],
      { key: null },
      { wait: null },
      [{ ...one, key: null }],
    ];
    const events = [
      [{ id: "x", event: null }],
      [{ id: "x", event: { name: "e" }, where: null }],
      [{ event: 5, key: "a" }],
    ];
    for (const value of [...odd, ...events]) {
      for (const field of ["limits", "singleton", "debounce", "batch", "priority", "on", "cancelOn", "events"]) {
        for (const flow of [value, { [field]: value }]) expect(problemOf(flow)).toMatch(/^$|^workflow\("order"\)/);
      }
    }
  });

  test.each<[unknown, string]>([
    [{ limits: {} }, "limits: must be a list"],
    [{ limits: [{ name: "a", max: 1, hurry: 1 }] }, "limits[0].hurry: unknown option"],
    [{ limits: [{ name: "", max: 1 }] }, "limits[0].name: must not be empty"],
    [{ limits: [{ name: "a\u0002b", max: 1 }] }, "limits[0].name: must not hold control characters"],
    [{ limits: [{ name: "singleton:x", max: 1 }] }, "limits[0].name"],
    [{ limits: [{ name: "a" }] }, "limits[0]: needs max, rate, or both"],
    [{ limits: [{ name: "a", max: 0 }] }, "limits[0].max: must be a whole number of at least 1"],
    [{ limits: [{ name: "a", max: 1, mode: "step" }] }, 'limits[0].hold: must be one of "run", "active"'],
    [{ limits: [{ name: "a", max: 1, onFull: "wait" }] }, "limits[0].onFull"],
    [{ limits: [{ name: "a", max: 1, scope: "all" }] }, "limits[0].scope"],
    [{ limits: [{ name: "a", max: 1, key: 5 }] }, "limits[0].key: must be a function of the input, or a path"],
    [
      { limits: [{ name: "a", max: 1, key: "customerId" }] },
      "limits[0].key: must be a function of the input, or a path",
    ],
    [{ limits: [{ name: "a", max: 1, fair: { key: 1 } }] }, "limits[0].fair.key"],
    [{ limits: [{ name: "a", max: 1, queueTimeout: "soon" }] }, "limits[0].queueTimeout"],
    [{ limits: [{ name: "a", max: 1, dropQueued: "oldest" }] }, "limits[0].dropQueued: needs maxQueued"],
    [{ limits: [{ name: "a", max: 1, maxQueued: 1, onFull: "skip" }] }, 'limits[0].maxQueued: needs onFull "queue"'],
    [{ limits: [{ name: "a", max: 1, queueTimeout: 1, onFull: "skip" }] }, "limits[0].queueTimeout"],
    [{ limits: [{ name: "a", rate: { limit: 1 } }] }, "limits[0].rate.per"],
    [{ limits: [{ name: "a", rate: { ...rate, per: 0 } }] }, "limits[0].rate.per: must be at least 1 ms"],
    [{ limits: [{ name: "a", rate, maxQueued: 1 }] }, "limits[0].maxQueued: needs max"],
    [{ limits: [{ name: "a", rate, fair: { key: "input" } }] }, "limits[0].fair: needs max"],
    [{ limits: [{ name: "a", max: 1, rate, onFull: "replace" }] }, 'limits[0].onFull: "replace" excludes a rate'],
    [{ limits: [{ name: "a", rate }], priority: "input.p" }, 'priority: excludes a rate, which "a" has'],
    [{ limits: ["a", "a"].map((name) => ({ name, max: 1 })) }, 'limits: the limit "a" is there twice'],
    [{ limits: ["a", "b", "c", "d"].map((name) => ({ name, max: 1 })), singleton: {} }, "at most 4 limits"],
    [{ singleton: { onConflict: "wait" } }, "singleton.onConflict"],
    [{ debounce: { wait: 1 }, batch: { max: 1, wait: 1 } }, "batch: excludes debounce"],
    [{ debounce: { wait: 0 } }, "debounce.wait: must be at least 1 ms"],
    [{ debounce: { wait: 5, maxWait: 4 } }, "debounce.maxWait: must not be shorter than wait"],
    [{ batch: { wait: 5 } }, "batch.max"],
    [{ batch: { max: 1, wait: 5, maxBytes: 2_000_000 } }, "batch.maxBytes: must be at most 1048576"],
  ])("FLOW1 %j is refused, and the message names the field", (flow, says) => {
    expect(() => read(flow)).toThrow(
      `workflow("order").${says.startsWith("at most") ? "limits: a run may have " : ""}${says}`,
    );
  });

  test("FLOW6 holds to the end come before those that are given back, and workflows with contrary orders are refused", () => {
    const limits = (...names: string[]) =>
      names.map((name) => ({ name: name.slice(0, 1), max: 1, mode: name.length > 1 ? "run" : "active" }) as const);
    expect(read({ limits: limits("a", "c!", "b!") })?.limits.map(({ name }) => name)).toEqual(["b", "c", "a"]);
    const one = { id: "one", flow: { limits: limits("a", "b!") } };
    const two = { id: "two", flow: { limits: limits("a!", "b") } };
    checkOrder([one, { id: "three", flow: { limits: limits("b!", "c") } }]);
    expect(() => checkOrder([one, two])).toThrow('workflow("two").limits: gets "a" before "b", and another workflow');
    const chain = [limits("a!", "b"), limits("b!", "c"), limits("c!", "a")].map((list, at) => ({
      id: `${at}`,
      flow: { limits: list },
    }));
    expect(() => checkOrder(chain)).toThrow('workflow("2").limits: gets "c" before "a"');
  });

  test("FLOW6 a limit that is asked before the run exists comes first in the order of the run", () => {
    const one = (id: string, onFullOfZ: "reject" | "queue") => ({
      id,
      flow: {
        limits: [
          { name: "y", max: 1, mode: "run" as const },
          { name: "z", max: 1, mode: "run" as const, onFull: onFullOfZ },
        ],
      },
    });
    expect(() => checkOrder([one("a", "reject"), one("b", "queue")])).toThrow("with the same onFull");
    expect(() => checkOrder([one("a", "reject"), one("b", "reject")])).not.toThrow();
    expect(() => checkOrder([one("a", "queue"), one("b", "queue")])).not.toThrow();
  });

  test("FLOW1 a function of a step handler in another process is refused, and the message says what to give instead", () => {
    const sent = workflow({ id: "order", limits: [limit("a", { max: 1, key: () => "k" })], run: () => 1 });
    const listed = structuredClone(describeWorkflow(sent));
    expect(() => readFlow(listed)).toThrow('workflow("order").limits[0].key: is a function, and this deployment');
    const path = workflow({ id: "order", limits: [limit("a", { max: 1, key: "input.k" }).hold("run")], run: () => 1 });
    expect(readFlow(structuredClone(describeWorkflow(path)))?.limits).toMatchObject([{ key: "input.k", mode: "run" }]);
  });
});
