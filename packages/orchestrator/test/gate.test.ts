/** tests: a gate: who holds, who waits, and what frees a place */
import { describe, expect, test } from "vitest";
import { GateWorld, START, holdOf } from "./gate-world.ts";

const GRANTED = { type: "granted" };

describe("places", () => {
  test("L1 a gate admits max runs, and the next ones wait in the order in which they came", () => {
    const world = new GateWorld({ max: 2 });
    expect([world.acquire("a"), world.acquire("b")]).toEqual([GRANTED, GRANTED]);
    expect(world.acquire("c")).toEqual({ type: "queued", position: 1 });
    expect(world.acquire("d")).toEqual({ type: "queued", position: 2 });
    expect(world.view).toBe("a b | c d");
  });

  test("GH2 a release admits the next run, which is granted the place by a message that is sent until it answers", async () => {
    const world = new GateWorld();
    world.acquire("a");
    world.acquire("b");
    world.release("a");
    expect(world.view).toBe("b | ");
    expect(world.sent.map(({ to, message }) => [to.name, message.type])).toEqual([["b", "grant"]]);
    world.answer("unreachable");
    world.advance(5_000);
    expect(world.sent).toHaveLength(1);
    world.answer("accepted");
    await Promise.resolve();
    expect(world.rows.filter((key) => key.startsWith("outbox"))).toEqual([]);
  });

  test("L2 a grant that a run declines frees its place for the next run", () => {
    const world = new GateWorld();
    for (const run of ["a", "b", "c"]) world.acquire(run);
    world.release("a");
    world.answer("declined");
    expect(world.view).toBe("c | ");
  });

  test("L3 the same acquire gets the answer of the rows again, and the same release changes nothing", () => {
    const world = new GateWorld();
    const place = { enqueuedAt: START };
    expect([world.acquire("a"), world.acquire("a")]).toEqual([GRANTED, GRANTED]);
    world.acquire("b", { place });
    world.acquire("c", { place: { enqueuedAt: START + 1 } });
    expect(world.acquire("c", { place: { enqueuedAt: START + 1 } })).toEqual({ type: "queued", position: 2 });
    world.release("a");
    world.release("a");
    expect(world.view).toBe("b | c");
    expect(world.acquire("b", { place })).toEqual(GRANTED);
  });

  test("GM1 a release of an earlier holding of the same run frees nothing", () => {
    const world = new GateWorld();
    world.acquire("a", { hold: holdOf("a", 2) });
    world.release("a", {}, holdOf("a", 1));
    world.release("a", {}, { ...holdOf("a", 2), incarnation: "an earlier run with this id" });
    expect(world.view).toBe("a | ");
  });

  test("L7 a run that leaves the queue is not granted a place", () => {
    const world = new GateWorld();
    const place = { enqueuedAt: START };
    world.acquire("a");
    world.acquire("b", { place });
    world.acquire("c");
    world.release("b", place);
    world.release("a");
    expect(world.view).toBe("c | ");
  });

  test("L5 a gate that loses its memory decides from its rows", () => {
    const world = new GateWorld();
    world.acquire("a");
    world.acquire("b");
    world.open();
    expect(world.acquire("c")).toEqual({ type: "queued", position: 2 });
    world.open();
    world.release("a");
    expect(world.view).toBe("b | c");
  });

  test("L5 a run that holds by its own rows is stored, also above max", () => {
    const world = new GateWorld();
    world.acquire("a");
    expect(world.acquire("b", { held: true })).toEqual(GRANTED);
    world.release("a");
    expect(world.acquire("c")).toMatchObject({ type: "queued" });
    expect(world.view).toBe("b | c");
  });

  test("GATE1 a run that holds alone costs the gate a header once, and two writes", () => {
    const world = new GateWorld({ max: 5 });
    world.acquire("a");
    const { rowsWritten, rowsDeleted } = { ...world.store.counts };
    world.acquire("b");
    world.release("b");
    expect(world.store.counts).toMatchObject({ rowsWritten: rowsWritten + 1, rowsDeleted: rowsDeleted + 1 });
    expect(world.sent).toEqual([]);
    expect(world.listed).toEqual([]);
  });

  test("GATE1 a run that waits costs the gate ten writes and one message more", async () => {
    const world = new GateWorld();
    for (const run of ["a", "b", "c"]) world.acquire(run);
    await Promise.resolve();
    const writes = () => world.store.counts.rowsWritten + world.store.counts.rowsDeleted;
    const before = writes();
    world.acquire("d");
    const queued = writes() - before;
    world.release("a");
    world.answer("accepted");
    const granted = writes() - before - queued;
    world.release("b");
    // The release of a, the grant of b, its confirmation.
    expect([queued, granted]).toEqual([2, 8]);
    expect(world.sent).toHaveLength(1);
  });
});

describe("the order of the queue", () => {
  const order = (world: GateWorld): string[] => {
    const served: string[] = [];
    for (let left = 20; left > 0; left--) {
      const grant = world.answer("accepted");
      if (grant === undefined) return served;
      served.push(grant.hold.runId);
      world.release(grant.hold.runId);
    }
    return served;
  };

  test("GATE4 a priority is a head start in seconds", () => {
    const world = new GateWorld();
    world.acquire("first");
    world.acquire("a", { place: { enqueuedAt: START } });
    world.acquire("b", { place: { enqueuedAt: START + 5_000, priority: 4 } });
    world.acquire("c", { place: { enqueuedAt: START + 5_000, priority: 6 } });
    world.release("first");
    expect(order(world)).toEqual(["c", "a", "b"]);
  });

  test("GATE4 a run that was enqueued earlier goes first, also if it acquires again after others", () => {
    const world = new GateWorld();
    world.acquire("first");
    world.acquire("later", { place: { enqueuedAt: START + 10 } });
    expect(world.acquire("resumed", { place: { enqueuedAt: START } })).toEqual({ type: "queued", position: 1 });
    world.release("first");
    expect(order(world)).toEqual(["resumed", "later"]);
  });

  test("GATE4 groups take turns in the order in which they arrived, and the order within a group is kept", () => {
    const world = new GateWorld();
    world.acquire("first");
    for (const [run, group] of [
      ["a1", "a"],
      ["a2", "a"],
      ["a3", "a"],
      ["b1", "b/"],
      ["c1", "c"],
      ["b2", "b/"],
    ] as const)
      world.acquire(run, { place: { group } });
    world.release("first");
    expect(order(world)).toEqual(["a1", "b1", "c1", "a2", "b2", "a3"]);
    expect(world.rows.filter((key) => /^(turn|group)/.test(key))).toEqual([]);
  });

  test("GATE4 the group with the empty name takes turns as the others", () => {
    const world = new GateWorld();
    world.acquire("h");
    for (const runId of ["a1", "a2"]) world.acquire(runId, { place: { group: "a" } });
    for (const runId of ["e1", "e2"]) world.acquire(runId, { place: { group: "" } });
    const admitted: string[] = [];
    for (let holder = "h"; admitted.length < 4; admitted.push(holder)) {
      world.release(holder);
      [holder = ""] = world.view.split(" ");
    }
    expect(admitted).toEqual(["a1", "e1", "a2", "e2"]);
  });

  test("GATE4 a group whose last run left the queue loses its turn, and gets one when it returns", () => {
    const world = new GateWorld();
    const place = { enqueuedAt: START, group: "a" };
    world.acquire("first");
    world.acquire("a1", { place });
    world.acquire("b1", { place: { group: "b" } });
    world.release("a1", place);
    world.acquire("a2", { place });
    world.release("first");
    expect(order(world).toSorted()).toEqual(["a2", "b1"]);
    expect(world.rows.filter((key) => /^(turn|group)/.test(key))).toEqual([]);
  });
});

describe("a gate that is full", () => {
  test("L6 reject stores nothing and states the limit", () => {
    const world = new GateWorld();
    world.acquire("a");
    const before = world.rows;
    expect(world.acquire("b", { onFull: "reject" })).toEqual({ type: "full", max: 1 });
    expect(world.rows).toEqual(before);
  });

  test("L6 skip stores nothing and names the run that holds the longest", () => {
    const world = new GateWorld({ max: 2 });
    world.acquire("a");
    world.now += 1;
    world.acquire("b");
    expect(world.acquire("c", { onFull: "skip" })).toEqual({ type: "skip", holder: "a" });
    expect(world.view).toBe("a b | ");
  });

  test("GATE6 replace cancels the oldest holder once, and of those that wait only the newest stays", () => {
    const world = new GateWorld();
    world.acquire("a");
    expect(world.acquire("b", { onFull: "replace" })).toEqual({ type: "queued", position: 1 });
    expect(world.acquire("c", { onFull: "replace" })).toEqual({ type: "queued", position: 1 });
    expect(world.view).toBe("a | c");
    const drops = [world.answer("accepted"), world.answer("accepted")];
    expect(drops).toMatchObject([
      { type: "drop", reason: "replaced", by: "b", hold: { runId: "a" } },
      { type: "drop", reason: "replaced", by: "c", hold: { runId: "b" } },
    ]);
    // The place is free when the run has ended, undoing included.
    expect(world.command({ type: "read" })).toMatchObject({
      holders: [{ runId: "a", state: "replaced", replacedBy: "b" }],
    });
    world.release("a");
    expect(world.view).toBe("c | ");
  });

  test("GATE6 replace frees the place of a holder that is gone", () => {
    const world = new GateWorld();
    world.acquire("a");
    world.acquire("b", { onFull: "replace" });
    world.answer("not_found");
    expect(world.view).toBe("b | ");
  });

  test.each(["newest", "oldest"] as const)(
    "GATE3 a run that has executed waits at a queue that is full, whose %s runs are dropped",
    (dropQueued) => {
      const world = new GateWorld({ maxQueued: 1, dropQueued });
      world.acquire("a");
      expect(world.acquire("b", { again: true, place: { enqueuedAt: world.now - 1_000 } })).toMatchObject({
        type: "queued",
      });
      expect(world.acquire("c", { again: true })).toMatchObject({ type: "queued" });
      expect(world.acquire("d")).toEqual({ type: "dropped", reason: "queue_full" });
      expect(world.view).toBe("a | b c");
      expect(world.sent).toEqual([]);
    },
  );

  test("GATE3 a full queue drops the newest by default, or the oldest, which is notified", () => {
    const world = new GateWorld({ maxQueued: 1 });
    world.acquire("a");
    world.acquire("b");
    expect(world.acquire("c")).toEqual({ type: "dropped", reason: "queue_full" });
    expect(world.view).toBe("a | b");
    expect(world.acquire("d", { settings: { dropQueued: "oldest" } })).toMatchObject({ type: "queued" });
    expect(world.view).toBe("a | d");
    expect(world.answer("accepted")).toMatchObject({ type: "drop", reason: "queue_full", hold: { runId: "b" } });
  });
});

describe("a family of runs", () => {
  test("GATE7 a run that waits is admitted when its ancestor states its holding again", () => {
    const world = new GateWorld();
    world.acquire("other");
    const wish = { lineage: [holdOf("parent")], place: { enqueuedAt: world.now } };
    expect(world.acquire("child", wish)).toMatchObject({ type: "queued" });
    world.acquire("parent", { held: true });
    expect(world.acquire("child", wish)).toEqual(GRANTED);
    expect(world.view).toBe("other parent child | ");
  });

  test("GATE7 a run is admitted under an ancestor from a back-up, which holds under a later number", () => {
    const world = new GateWorld();
    world.acquire("parent", { hold: holdOf("parent", 9) });
    expect(world.acquire("child", { lineage: [holdOf("parent", 1)] })).toEqual(GRANTED);
  });

  test("GATE7 a run is admitted under the holding of its ancestor, and takes no place", () => {
    const world = new GateWorld();
    world.acquire("parent");
    const lineage = [holdOf("parent")];
    expect(world.acquire("child", { lineage })).toEqual(GRANTED);
    expect(world.acquire("grandchild", { lineage: [holdOf("child"), ...lineage] })).toEqual(GRANTED);
    expect(world.command({ type: "read" })).toMatchObject({
      held: 1,
      holders: [{}, { reentrant: true }, { reentrant: true }],
    });
    expect(world.acquire("other")).toMatchObject({ type: "queued" });
    world.release("child");
    expect(world.view).toBe("parent grandchild | other");
  });

  test("GH1 the place of an ancestor that ended first stays taken until its descendants release", () => {
    const world = new GateWorld();
    world.acquire("parent");
    world.acquire("child", { lineage: [holdOf("parent")] });
    world.acquire("other");
    world.release("parent");
    world.release("parent");
    expect(world.view).toBe("parent child | other");
    world.advance(3_600_000);
    expect(world.sent.every(({ to }) => to.name === "child")).toBe(true);
    world.release("child");
    expect(world.view).toBe("other | ");
  });

  test("GATE7 an ancestor that holds only while it is active admits nobody under it", () => {
    const world = new GateWorld();
    world.acquire("parent", { mode: "active" });
    expect(world.acquire("child", { lineage: [holdOf("parent")] })).toMatchObject({ type: "queued" });
  });
});

describe("settings", () => {
  test("GATE1 a higher max admits those who wait, and a lower one evicts nobody", () => {
    const world = new GateWorld({ max: 1 });
    for (const run of ["a", "b", "c", "d"]) world.acquire(run);
    world.acquire("e", { settings: { max: 3, rev: 2 } });
    expect(world.view).toBe("a b c | d e");
    world.acquire("f", { settings: { max: 1, rev: 3 } });
    expect(world.view).toBe("a b c | d e f");
    world.release("a");
    world.release("b");
    expect(world.view).toBe("c | d e f");
    world.release("c");
    expect(world.view).toBe("d | e f");
  });

  test("GATE8 the settings of the highest rev apply, and two versions that alternate write a row a minute", () => {
    const world = new GateWorld({ max: 1, rev: 5 });
    world.acquire("a");
    const { rowsWritten } = world.store.counts;
    for (let i = 0; i < 3; i++) {
      world.acquire("a", { settings: { max: 9, rev: 4 } });
      world.acquire("a", { settings: { max: 1, rev: 5 } });
    }
    expect(world.store.counts.rowsWritten).toBe(rowsWritten + 1);
    expect(world.command({ type: "read" })).toMatchObject({ max: 1, rev: 5 });
  });

  test("GATE8 the max of an operator stays when the code changes, until it is cleared", () => {
    const world = new GateWorld();
    for (const run of ["a", "b", "c"]) world.acquire(run);
    expect(world.command({ type: "override", max: 2, by: "ops" })).toMatchObject({ max: 2, declaredMax: 1, held: 2 });
    world.acquire("d", { settings: { rev: 9, max: 1 } });
    expect(world.view).toBe("a b | c d");
    expect(world.command({ type: "override", max: null, by: "ops" })).toMatchObject({ max: 1 });
    expect(world.command({ type: "read" })).not.toHaveProperty("override");
  });

  test("GATE8 a paused gate admits nobody, and continues when it is no longer paused", () => {
    const world = new GateWorld({ max: 2 });
    world.acquire("a");
    world.command({ type: "pause", paused: true, by: "ops" });
    expect(world.acquire("b")).toMatchObject({ type: "queued" });
    expect(world.acquire("c", { onFull: "reject" })).toMatchObject({ type: "full" });
    world.release("a");
    expect(world.view).toBe(" | b");
    world.command({ type: "pause", paused: false, by: "ops" });
    expect(world.view).toBe("b | ");
  });

  test("GATE2 kick cancels a run, and takes its place or its turn", () => {
    const world = new GateWorld();
    for (const run of ["a", "b", "c"]) world.acquire(run);
    world.command({ type: "kick", runId: "b", by: "ops" });
    world.command({ type: "kick", runId: "a", by: "ops" });
    expect(world.view).toBe("c | ");
    expect(world.sent.map(({ to, message }) => [to.name, message.type])).toEqual([
      ["b", "drop"],
      ["a", "drop"],
      ["c", "grant"],
    ]);
    expect(world.command({ type: "kick", runId: "x", by: "ops" })).toEqual({ refused: "not_found" });
  });

  test("GATE8 an operator can set a limit before any run uses it", () => {
    const world = new GateWorld({ max: 5 });
    expect(world.command({ type: "read" })).toEqual({ refused: "not_found" });
    expect(world.command({ type: "override", max: 1, by: "ops" })).toMatchObject({ name: "l", key: "k", max: 1 });
    world.acquire("a");
    expect(world.acquire("b")).toMatchObject({ type: "queued" });
  });

  test("GATE8 a setting that is taken back where none is, as with a mistyped name, is refused and leaves no row", () => {
    const world = new GateWorld();
    expect(world.command({ type: "override", max: null, by: "ops" })).toEqual({ refused: "not_found" });
    expect(world.command({ type: "pause", paused: false, by: "ops" })).toEqual({ refused: "not_found" });
    expect(world.store.counts.rowsWritten).toBe(0);
  });
});

describe("probes", () => {
  test("L2 a holder is asked after a minute, then ever more rarely, and a holder that says it is free is freed", () => {
    const world = new GateWorld();
    world.acquire("a");
    world.advance(59_999);
    expect(world.sent).toEqual([]);
    world.advance(1);
    expect(world.answer("holds")).toMatchObject({ type: "probeHold", hold: { runId: "a" } });
    world.advance(299_999);
    expect(world.sent).toEqual([]);
    world.advance(1);
    world.answer("holds");
    world.acquire("b");
    world.advance(600_000);
    world.answer("free");
    expect(world.view).toBe("b | ");
  });

  test("L6 the place of a run that never was created is free within a minute", () => {
    const world = new GateWorld();
    world.acquire("never created", { onFull: "skip" });
    world.acquire("b");
    world.advance(60_000);
    world.answer("not_found");
    expect(world.view).toBe("b | ");
  });

  test("L2 a holder that does not answer keeps its place, is shown, and is asked again", () => {
    const world = new GateWorld();
    world.acquire("a");
    world.acquire("b");
    world.advance(60_000);
    world.answer("unreachable");
    expect(world.command({ type: "read" })).toMatchObject({
      holders: [{ runId: "a", state: "unreachable", unreachableSince: START + 60_000 }],
    });
    world.advance(60_000);
    world.answer("holds");
    expect(world.command({ type: "read" })).toMatchObject({ holders: [{ runId: "a", state: "held" }] });
    expect(world.view).toBe("a | b");
  });

  test("L3 a holder that waits for its grant gets one", () => {
    const world = new GateWorld();
    world.acquire("a");
    world.advance(60_000);
    world.answer("wants");
    expect(world.answer("accepted")).toMatchObject({ type: "grant", hold: { runId: "a" } });
  });

  test("CO3 a gate that nobody uses is forgotten a minute later, and leaves the list before", async () => {
    const world = new GateWorld();
    world.acquire("a");
    world.release("a");
    world.advance(60_000);
    expect([world.erased, world.rows]).toEqual([1, []]);
    world.acquire("a");
    world.acquire("b");
    world.release("b");
    world.release("a");
    await Promise.resolve();
    world.advance(60_000);
    await Promise.resolve();
    world.advance(120_000);
    expect(world.listed.map((message) => (message as { type: string }).type)).toEqual(["listed", "unlisted"]);
    expect([world.erased, world.rows]).toEqual([2, []]);
  });
});

describe("a rate", () => {
  const rate = { limit: 10, perMs: 1_000, burst: 2 };

  test("GATE5 the starts are spread evenly after the burst, and nothing is stored for each run", async () => {
    const world = new GateWorld({ max: undefined, rate });
    const starts = Array.from({ length: 6 }, (_, i) => {
      const answer = world.acquire(`r${i}`);
      return answer.type === "granted" ? (answer.startAt ?? world.now) - START : undefined;
    });
    expect(starts).toEqual([0, 0, 0, 100, 200, 300]);
    await Promise.resolve();
    expect(world.rows).toEqual(["header"]);
  });

  test("GATE5 reject states when the next start is free, and reserves nothing", () => {
    const world = new GateWorld({ max: undefined, rate: { limit: 1, perMs: 1_000, burst: 0 } });
    world.acquire("a", { onFull: "reject" });
    expect(world.acquire("b", { onFull: "reject" })).toEqual({ type: "full", retryAt: START + 1_000 });
    world.now += 1_000;
    expect(world.acquire("b", { onFull: "reject" })).toEqual(GRANTED);
  });

  test("GATE5 with max the start is reserved when a place is free", () => {
    const world = new GateWorld({ max: 1, rate: { limit: 1, perMs: 1_000, burst: 0 } });
    world.acquire("a");
    world.acquire("b");
    world.release("a");
    expect(world.answer("accepted")).toMatchObject({ type: "grant", startAt: START + 1_000 });
  });
});
