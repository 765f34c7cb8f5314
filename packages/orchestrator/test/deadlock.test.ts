/** The search for runs that wait for each other (L10): what it asks, and when it finds nothing. */
import type { Address } from "@holdfast/protocol";
import { describe, expect, test } from "vitest";
import { type Deadlock, findDeadlock } from "../src/run/draft/deadlock.ts";
import { gateAddress, gateName } from "../src/gate/messages.ts";

interface Run {
  /** The number of its holding of each limit. */
  readonly holds: Readonly<Record<string, number>>;
  readonly wants: readonly string[];
  readonly tenantId?: string;
}

/** Objects that answer. `shared`: the limits of the whole deployment. */
class Objects {
  runs: Record<string, Run>;
  readonly asked: string[] = [];
  readonly shared: ReadonlySet<string>;
  /** Called before each answer. */
  before: (to: Address) => void = () => {};

  constructor(runs: Record<string, Run>, shared: readonly string[] = []) {
    this.runs = runs;
    this.shared = new Set(shared);
  }

  find(id: string): Deadlock | undefined {
    let found: Deadlock | undefined;
    const { tenantId } = this.runs[id] ?? {};
    const run = tenantId === undefined ? { id } : { id, tenantId };
    findDeadlock(
      run,
      (to, message, answered) => {
        this.before(to);
        this.asked.push(`${message.type} ${to.tenantId ?? ""}/${to.scope ?? ""}/${to.name}`);
        const answer = message.type === "probeWaits" ? this.#waitsOf(to.name) : this.#holdersOf(to.name);
        answered(answer === undefined ? { type: "unreachable" } : { type: "acknowledged", answer });
      },
      (deadlock) => (found = deadlock),
    );
    return found;
  }

  #waitsOf(id: string): object | undefined {
    const run = this.runs[id];
    if (run === undefined) return undefined;
    return {
      incarnation: id,
      createdAt: Object.keys(this.runs).indexOf(id),
      stops: true,
      wants: run.wants.map((limit, nth) => ({
        limit,
        seq: 100 + nth,
        to: gateAddress(limit, undefined, this.shared.has(limit) ? "deployment" : undefined),
      })),
      holds: Object.entries(run.holds).map(([limit, seq]) => ({ gate: gateName(limit), seq })),
      children: [],
    };
  }

  #holdersOf(limit: string): object {
    const holders = Object.entries(this.runs).flatMap(([runId, { holds, tenantId }]) => {
      const seq = Object.hasOwn(holds, limit) ? holds[limit] : undefined;
      const of = this.shared.has(limit) ? { tenantId } : {};
      return seq === undefined ? [] : [{ runId, incarnation: runId, seq, ...of }];
    });
    return { holders };
  }
}

const circle = (): Record<string, Run> => ({
  one: { holds: { a: 1 }, wants: ["b"] },
  two: { holds: { b: 1 }, wants: ["a"] },
});

describe("what is found", () => {
  test("L10 the newest run of a circle ends, and the other one does not", () => {
    expect(new Objects(circle()).find("two")?.wants).toEqual([100]);
    expect(new Objects(circle()).find("one")).toBeUndefined();
  });

  test("L10 however many places a run wants at a gate, the gate is asked once in each pass", () => {
    const runs = { ...circle(), two: { holds: { b: 1 }, wants: Array.from({ length: 50 }, () => "a") } };
    const objects = new Objects(runs);
    expect(objects.find("two")?.wants).toHaveLength(50);
    expect(objects.asked).toHaveLength(8);
  });

  test("L10 runs of several tenants are asked in their own tenant, and are not named to others", () => {
    const objects = new Objects(
      {
        one: { holds: { a: 1 }, wants: ["b"], tenantId: "t1" },
        two: { holds: { b: 1, own: 2 }, wants: ["own2"], tenantId: "t2" },
        three: { holds: { own2: 1 }, wants: ["a"], tenantId: "t2" },
      },
      ["a", "b"],
    );
    expect(objects.find("three")?.text).toBe(
      'this run waits for the limit "a", which a run of another tenant holds; a run of another tenant waits for the limit "b", which run two holds; run two waits for the limit "own2", which this run holds',
    );
    expect(new Set(objects.asked)).toEqual(
      new Set([
        "probeWaits t2//three",
        "probeHolders /deployment/a",
        "probeWaits t1//one",
        "probeHolders /deployment/b",
        "probeWaits t2//two",
        "probeHolders t2//own2",
      ]),
    );
  });
});

describe("what is no deadlock", () => {
  test("L10 a wait that changed between both passes", () => {
    const objects = new Objects(circle());
    objects.before = () => {
      if (objects.asked.length === 4) objects.runs = { ...objects.runs, one: { holds: { a: 2 }, wants: ["b"] } };
    };
    expect(objects.find("two")).toBeUndefined();
  });

  test("L10 a holding that the run has given back, and its gate does not know yet, whatever led to the run", () => {
    const runs: Record<string, Run> = {
      one: { holds: { a: 1, c: 1 }, wants: ["b"] },
      two: { holds: { b: 1 }, wants: ["a", "c"] },
    };
    const found = new Objects(runs);
    expect(found.find("two")).toBeDefined();
    const stale = new Objects(runs);
    // The gate of c has a row of run one, which says that it holds only a.
    stale.before = ({ kind, name }) => {
      const holds: Run["holds"] = kind === "run" && name === "one" ? { a: 1 } : { a: 1, c: 1 };
      stale.runs = { ...runs, one: { holds, wants: ["b"] } };
    };
    expect(stale.find("two")).toBeUndefined();
  });

  test("L10 a run that does not answer", () => {
    const { one: _one, ...rest } = circle();
    const objects = new Objects({ ...rest, three: { holds: { a: 1 }, wants: ["gone"] } });
    expect(objects.find("two")).toBeUndefined();
  });

  test("L10 more than 50 runs", () => {
    const ring = (size: number): Record<string, Run> =>
      Object.fromEntries(
        Array.from({ length: size }, (_, at) => [
          `r${at}`,
          { holds: { [`l${at}`]: 1 }, wants: [`l${(at + 1) % size}`] },
        ]),
      );
    expect(new Objects(ring(50)).find("r49")).toBeDefined();
    expect(new Objects(ring(51)).find("r50")).toBeUndefined();
  });
});
