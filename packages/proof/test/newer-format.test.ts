import { describeEntry, describeRun, readShownInput, shownHeader } from "@holdfast/orchestrator";
import {
  type EntryBody,
  type JournalEntry,
  RESERVED_ENTRY_TYPES,
  RESERVED_HEADER_FIELDS,
  type RunJournalEntry,
  type RunRecord,
} from "@holdfast/protocol";
import { type Workflow, workflow } from "@holdfast/workflows";
import { MemoryHost, type MemoryHostOptions, MemoryStore } from "@holdfast/workflows/testing";
import { describe, expect, test } from "vitest";

const SEALED = "h1.k7.c2VhbGVk";

const child: Workflow = workflow({ id: "child", run: (_input, ctx) => ctx.waitForSignal("child") });

const parent: Workflow = workflow({
  id: "w",
  run: async (_input, ctx) => {
    ctx.metadata.set("phase", "begun");
    const a = await ctx.step("a", { compensate: () => {} }, () => 1);
    await ctx.step("b", () => 2);
    return [a, await ctx.waitForSignal("go"), await ctx.waitForSignal("kept")];
  },
});

interface World {
  readonly store: MemoryStore;
  readonly host: MemoryHost;
  readonly rows: () => Readonly<Record<string, unknown>>;
}

/** Returns a waiting run whose rows `change` has modified as newer code does. */
async function changed(change: (store: MemoryStore) => void, options: Partial<MemoryHostOptions> = {}): Promise<World> {
  const store = new MemoryStore();
  const before = new MemoryHost({ workflows: [parent, child], store });
  before.trigger("w", { text: "x".repeat(5_000) });
  before.deliver("signal", "kept", "k", "d0");
  await before.settle();
  change(store);
  const host = new MemoryHost({ workflows: [parent, child], store, clock: before.clock, ...options });
  return { store, host, rows: () => store.dump() };
}

function patch(store: MemoryStore, key: string, fields: object): void {
  store.overwrite(key, { ...(store.get(key) as object), ...fields });
}

function recordOf({ host }: MemoryHost): Omit<RunRecord, "why"> {
  const { state } = host;
  const header = shownHeader(state);
  if (header === undefined) throw new Error("there is no run");
  const journal = Array.from(state.store.list("journal/"), ([, row]) => row as JournalEntry);
  return describeRun(header, readShownInput(state, header), journal, [], () => 0, 1_000);
}

function journalOf({ store }: World): RunJournalEntry[] {
  return Array.from(store.list("journal/"), ([, row]) => describeEntry(row as JournalEntry, { chars: 10_000 }));
}

const JOURNAL = (seq: number): string => `journal/${String(seq).padStart(10, "0")}`;

/** Changes of rows, each with the text that the reason must contain. */
const CHANGES: readonly (readonly [what: string, change: (store: MemoryStore) => void, named: string])[] = [
  ...RESERVED_HEADER_FIELDS.map(
    (field) =>
      [`the header field ${field}`, (store: MemoryStore) => patch(store, "record", { [field]: "1" }), field] as const,
  ),
  ...RESERVED_ENTRY_TYPES.map(
    (type) =>
      [
        `an entry ${type} at the end of the journal`,
        (store: MemoryStore) => patch(store, JOURNAL(4), { type, op: "version/0/x", by: "newer" }),
        type,
      ] as const,
  ),
  ["an entry without an operation", (store) => patch(store, JOURNAL(4), { type: "rewound", op: undefined }), "rewound"],
  ["replay flags that are a number", (store) => patch(store, "record", { flags: 5 }), "replay flags"],
  ["replay flags that are an object", (store) => patch(store, "record", { flags: {} }), "replay flags"],
  ["an operation that does not parse", (store) => patch(store, JOURNAL(4), { op: "charge" }), "unknown operation"],
  ["an entry without its operation", (store) => patch(store, JOURNAL(4), { op: undefined }), "unknown operation"],
  ["a header of a newer format", (store) => patch(store, "record", { v: 2 }), "format 2"],
  ["an entry of a newer format", (store) => patch(store, JOURNAL(4), { v: 2 }), "format 2"],
  ["a delivery of a newer format", (store) => patch(store, "inbox/0000000001", { v: 2 }), "format 2"],
  ["a delivery with an encoded value", (store) => patch(store, "inbox/0000000001", { payload: SEALED }), '"h1"'],
  [
    "the end of a child with an encoded output",
    (store) => {
      const payload = JSON.stringify({ status: "completed", runId: "c", output: SEALED });
      patch(store, "inbox/0000000001", { kind: "child", name: "run/0/c", payload });
    },
    '"h1"',
  ],
  [
    "a delivery of a newer format in another form",
    (store) => patch(store, "inbox/0000000001", { v: 2, payload: undefined }),
    "format 2",
  ],
  [
    "an encoded end of a child",
    (store) => patch(store, "inbox/0000000001", { kind: "child", payload: SEALED }),
    '"h1"',
  ],
  ["an encoded output in the header", (store) => patch(store, "record", { output: SEALED }), '"h1"'],
  ["encoded metadata", (store) => patch(store, "record", { metadata: [["phase", SEALED]] }), '"h1"'],
];

/** Changes that are detected when the journal is read, before an execution starts. */
const LATER: readonly (readonly [what: string, change: (store: MemoryStore) => void, named: string])[] = [
  ["an entry in the middle of the journal", (store) => patch(store, JOURNAL(2), { type: "edited" }), "edited"],
  ["an encoded result", (store) => patch(store, JOURNAL(2), { value: SEALED }), '"h1"'],
  [
    "an operation in the middle of the journal that does not parse",
    (store) => patch(store, JOURNAL(2), { op: "step" }),
    "operation",
  ],
  ["an encoded input", (store) => patch(store, "input", { input: SEALED }), "the input"],
  [
    "an encoded outcome that is taken over",
    (store) => {
      const outcome: EntryBody = { type: "step.completed", op: "step/0/c", attempt: 0, startedAt: 0, value: SEALED };
      store.overwrite("inherited", { v: 1, outcomes: [outcome] });
    },
    '"h1"',
  ],
];

const OPERATIONS: readonly (readonly [name: string, operation: (host: MemoryHost) => unknown])[] = [
  ["deliver", (host) => host.deliver("signal", "go", 1, "d1")],
  ["cancel", (host) => host.cancel()],
  ["pause", (host) => host.operate("pause")],
  ["retry", (host) => host.operate("retry")],
  ["delete", (host) => host.operate("delete")],
];

describe("runs of newer code", () => {
  test.each([...CHANGES, ...LATER])(
    "VER4 a run with %s rejects all inputs, is reported as paused with NEWER_FORMAT, and its rows do not change",
    async (_what, change, named) => {
      const refused = { type: "refused", code: "newer_format", message: expect.stringContaining(named) as string };
      for (const [name, operation] of OPERATIONS) {
        // Each operation gets a fresh host: the first refusal marks the run, and later ones rely on the mark.
        const world = await changed(change);
        const before = world.rows();
        expect([name, operation(world.host)]).toMatchObject([name, refused]);
        await world.host.settle();
        expect([name, world.rows(), world.host.starts]).toEqual([name, before, []]);
      }
      const again = await changed(change);
      const before = again.rows();
      // A repeated trigger changes nothing, so it does not read the journal first.
      again.host.trigger("w", 1);
      expect([again.rows(), again.host.starts]).toEqual([before, []]);
      const { host, store } = await changed(change);
      host.deliver("signal", "go", 1, "d1");
      expect(recordOf(host)).toMatchObject({
        status: "paused",
        workflowId: "w",
        error: { code: "NEWER_FORMAT", category: "RUNTIME_ERROR", message: expect.stringContaining(named) as string },
      });
      expect(store.alarm).toBe(null);
    },
  );

  test.each([...CHANGES, ...LATER])(
    "VER4 a run with %s continues when newer code is deployed again",
    async (_what, change) => {
      let original = new Map<string, unknown>();
      const { host, store } = await changed((one) => {
        original = new Map(Object.entries(one.dump()));
        change(one);
      });
      host.deliver("signal", "go", 1, "d1");
      store.erase("inherited");
      for (const [key, row] of original) store.overwrite(key, row as object);
      host.crash();
      host.deliver("signal", "go", 1, "d1");
      await host.advance();
      expect(host.output).toEqual([1, 1, "k"]);
    },
  );

  test("VER4 the record and the journal contain the known fields, and the names of unknown encodings and entries", async () => {
    const { host, store, rows } = await changed((one) => {
      patch(one, "input", { input: SEALED });
      patch(one, JOURNAL(2), { value: SEALED });
      patch(one, JOURNAL(3), { type: "version.marked", op: "version/0/x", value: 3, by: "newer" });
      patch(one, JOURNAL(4), { type: "rewound", op: undefined, to: 2 });
    });
    expect(recordOf(host)).toMatchObject({
      input: "[encoded as h1]",
      steps: [{ name: "a", status: "completed", output: "[encoded as h1]" }],
    });
    expect(journalOf({ host, store, rows })).toMatchObject([
      { type: "metadata.changed" },
      { type: "step.completed", value: "[encoded as h1]" },
      { type: "version.marked", operation: { kind: "version", occurrence: 0, name: "x" }, value: 3, by: "newer" },
      { type: "rewound", operation: { kind: "", name: "" }, to: 2 },
    ]);
  });

  test("VER4 the record of a header in a newer format contains only fields with a known type", async () => {
    const { host } = await changed((store) => {
      store.erase("input");
      patch(store, "record", { v: 3, waits: { a: 1 }, tags: "none", environment: 4, metadata: 7, status: "asleep" });
    });
    expect(recordOf(host)).toMatchObject({
      id: "run-1",
      status: "paused",
      tags: [],
      environment: "",
      pendingWaitpoints: [],
      metadata: {},
      input: null,
    });
  });

  test("VER4 an ended run of newer code keeps its status, and has no alarm if nothing is left to do", async () => {
    const { host, store } = await changed((one) =>
      patch(one, "record", { build: "b2", status: "completed", output: SEALED }),
    );
    host.host.handle({ type: "alarm" });
    expect([recordOf(host).status, recordOf(host).error, store.alarm]).toEqual(["completed", undefined, null]);
  });

  test("VER4 DUR5 an ended run of newer code keeps its alarm while something is left to do", async () => {
    const { host, store } = await changed((one) =>
      patch(one, "record", {
        build: "b2",
        status: "completed",
        outbox: { count: 1, next: 2, failures: 0, retryAt: 5 },
      }),
    );
    const now = host.clock.now();
    host.host.handle({ type: "alarm" });
    expect(store.alarm).toBe(now + 300_000);
    patch(store, "record", { outbox: { count: 0, next: 2, failures: 0 }, expiresAt: now + 1_000_000 });
    host.crash();
    host.host.handle({ type: "alarm" });
    expect(store.alarm).toBe(now + 1_000_000);
  });

  test.each([
    ["is encoded", { input: SEALED }],
    ["has a newer format", { v: 2, input: undefined }],
  ])("VER4 a repeated trigger of a run is refused if the stored input %s", async (_what, fields) => {
    const { host, rows } = await changed((one) => patch(one, "input", fields));
    const before = rows();
    expect(host.trigger("w", 1)).toMatchObject({ type: "refused", code: "newer_format" });
    expect([rows(), recordOf(host).status]).toEqual([before, "paused"]);
  });

  test("VER4 the journal contains entries of a newer format as they are, in any form", async () => {
    const world = await changed((one) => patch(one, JOURNAL(2), { v: 2, op: undefined, value: { k: 1 } }));
    expect(journalOf(world)[1]).toMatchObject({ type: "step.completed", operation: { kind: "" }, value: { k: 1 } });
  });

  test("VER4 an alarm checks the run again after 5 minutes, and late inputs of the run's own work change no row", async () => {
    const { host, store, rows } = await changed((one) => patch(one, "record", { segment: 2 }));
    const before = rows();
    expect(host.host.handle({ type: "alarm" })).toEqual({ type: "done" });
    expect(store.alarm).toBe(host.clock.now() + 300_000);
    expect(host.host.handle({ type: "sent", key: "outbox/0000000001", result: { type: "acknowledged" } })).toEqual({
      type: "done",
    });
    const late = [
      { type: "lost", epoch: 1, error: { name: "E", message: "gone" } },
      { type: "indexed", version: 1, stored: true },
    ] as const;
    for (const input of late) expect(host.host.handle(input)).toEqual({ type: "done" });
    expect(host.host.handle({ type: "report", report: { epoch: 1, asked: 1, events: [] } })).toMatchObject({
      answer: { accepted: false },
    });
    expect(rows()).toEqual(before);
  });

  test("VER4 CHILD4 a run of newer code does not acknowledge messages of other runs, so their senders repeat them", async () => {
    const { host } = await changed((one) => patch(one, "record", { wrappedKey: "k" }));
    const receive = (message: Parameters<typeof host.host.receive>[0]): unknown => host.host.receive(message, "0");
    expect(receive({ type: "cancel", reason: "r" })).toEqual({ type: "unreachable" });
    expect(receive({ type: "noteResumed", runId: "x" })).toEqual({ type: "unreachable" });
    const outcome = { status: "completed", runId: "c", output: "[1]" } as const;
    expect(receive({ type: "childEnded", op: "run/0/c", outcome })).toEqual({ type: "unreachable" });
  });

  test("VER4 CHILD4 a message of newer code is not acknowledged", async () => {
    const { host, rows } = await changed(() => {});
    const before = rows();
    const receive = (message: object): unknown =>
      host.host.receive(message as Parameters<typeof host.host.receive>[0], "0");
    const ended = (outcome: object): unknown => receive({ type: "childEnded", op: "run/0/c", outcome });
    expect(ended({ status: "completed", runId: "c", output: SEALED })).toEqual({ type: "unreachable" });
    expect(ended({ status: "failed", runId: "c", error: { name: "E", message: "m", data: SEALED } })).toEqual({
      type: "unreachable",
    });
    expect(receive({ type: "probe" })).toEqual({ type: "unreachable" });
    expect(receive({ type: "trigger", op: "run/0/c", trigger: { runId: "n", input: SEALED } })).toEqual({
      type: "unreachable",
    });
    const outcome: EntryBody = { type: "step.completed", op: "step/0/c", attempt: 0, startedAt: 0, value: SEALED };
    for (const fields of [
      { segment: 2 },
      { tenantMeta: SEALED },
      { inherited: { parentRunId: "p", number: 2, entries: [], outcomes: [outcome] } },
    ]) {
      const trigger = { runId: "n", input: "-1", ...fields };
      expect(receive({ type: "trigger", op: "run/0/c", trigger })).toEqual({ type: "unreachable" });
    }
    expect(rows()).toEqual(before);
  });
});

describe("reports of newer step handlers", () => {
  const EVENTS: readonly (readonly [what: string, event: object])[] = [
    ...RESERVED_ENTRY_TYPES.map((type) => [`the type ${type}`, { type, op: "version/0/x", nth: 4 }] as const),
    ["an encoded result", { type: "step.completed", op: "step/0/c", nth: 4, attempt: 1, startedAt: 0, value: SEALED }],
    ["encoded data of an error", { type: "run.failed", error: { name: "E", message: "m", data: SEALED } }],
    ["an encoded output", { type: "run.completed", output: SEALED }],
    ["an encoded input of a child", { type: "child.started", op: "run/0/c", nth: 4, input: SEALED }],
    ["an encoded pattern", { type: "wait.opened", op: "signal/0/c", nth: 4, match: SEALED }],
    ["an encoded chunk", { type: "stream.chunks", op: "stream/0/c", nth: 4, first: 0, chunks: ["[1]", SEALED] }],
    [
      "encoded metadata",
      { type: "metadata.changed", op: "metadata/0/c", nth: 4, change: { type: "set", key: "c", value: SEALED } },
    ],
    ["a reserved field for a child", { type: "child.started", op: "run/0/c", nth: 4, input: "-1", segment: 2 }],
    ["a field of the orchestrator", { type: "step.completed", op: "step/0/c", nth: 4, value: "[1]", seq: 1 }],
  ];

  test.each(EVENTS)("VER2 a report with %s is rejected completely, and the run is paused", async (_what, event) => {
    const { host } = await changed(() => {});
    // A delivery that the run waits for begins an execution.
    host.deliver("signal", "go", 1, "d1");
    const { journal } = host;
    const good = {
      type: "metadata.changed",
      op: "metadata/0/n",
      nth: 9,
      change: { type: "increment", key: "n", by: 1 },
    };
    const events = [good, event] as Parameters<typeof host.host.handle>[0] extends infer I
      ? I extends { type: "report"; report: { events: infer E } }
        ? E
        : never
      : never;
    const { epoch } = host.header;
    expect(host.host.handle({ type: "report", report: { epoch, asked: 4, events } })).toMatchObject({
      answer: { accepted: false, reason: "superseded" },
    });
    expect(host.journal).toEqual(journal);
    expect(host.header).toMatchObject({ status: "paused", error: { code: "PROTOCOL_MISMATCH" } });
  });

  test("VER2 an execution rejects a journal with an unknown entry, and an input with an unknown encoding", async () => {
    for (const change of [
      { journal: [{ v: 1, seq: 1, at: 0, asked: 0, nth: 0, op: "version/0/x", type: "version.marked" } as never] },
      { input: SEALED },
    ]) {
      const host = new MemoryHost({ workflows: [parent], tampering: { start: (start) => ({ ...start, ...change }) } });
      host.trigger("w");
      await host.settle();
      expect(host.header).toMatchObject({ status: "paused", error: { code: "PROTOCOL_MISMATCH" } });
    }
  });

  test("VER4 a value with an unknown encoding in an execution pauses the run", async () => {
    const { host } = await changed(() => {}, {
      tampering: {
        start: (start) => ({
          ...start,
          journal: start.journal.map((entry) =>
            entry.type === "step.completed" ? { ...entry, value: SEALED } : entry,
          ),
        }),
      },
    });
    host.deliver("signal", "go", 1, "d1");
    await host.settle();
    expect(host.header).toMatchObject({ status: "paused", error: { code: "NEWER_FORMAT" } });
  });
});
