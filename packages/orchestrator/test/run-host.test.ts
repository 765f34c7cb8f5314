/** The host of a run when its store or its executor fails. */
import { MemoryStore } from "@holdfast/workflows/testing";
import { beforeEach, describe, expect, test } from "vitest";
import { RunHost } from "../src/index.ts";
import { Bench } from "./bench.ts";

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});

describe("the host of a run", () => {
  test("DUR5 a commit that fails when the executor is lost is reported, and the alarm stays", () => {
    const store = new MemoryStore();
    const errors: unknown[] = [];
    let lose: () => void = () => {};
    const host = new RunHost({
      store,
      clock: () => 1_000,
      onError: (error) => errors.push(error),
      dispatcher: {
        workflows: () => [],
        start: (_start, port) => {
          lose = () => port.lost({ name: "Error", message: "gone" });
          return { update: () => {}, abort: () => {} };
        },
      },
    });
    host.handle({ ...bench.newTrigger() });
    const { alarm } = store;
    store.beforeCommit = () => {
      throw new Error("the disk is full");
    };
    lose();
    expect(errors).toEqual([new Error("the disk is full")]);
    expect(store.alarm).toBe(alarm);
  });
});
