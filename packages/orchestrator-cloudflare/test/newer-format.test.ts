/** tests: runs that newer code wrote, and reserved names, at the HTTP API */
import { beforeEach, describe, expect, test } from "vitest";
import { RESERVED_HEADER_FIELDS } from "@holdfast/protocol";
import { workflows } from "./api-workflows.ts";
import { FakeDeployment, answerOf } from "./fake-platform.ts";

let api: FakeDeployment;
beforeEach(() => {
  api = new FakeDeployment(workflows);
});

const wait = { headers: { Prefer: "wait=5" } };

/** Creates a waiting run, and changes one of its rows as newer code does. */
async function changed(key: string, fields: object): Promise<Map<string, unknown>> {
  await api.fetch("/api/runs", { json: { workflowId: "approve", runId: "r1", input: {} }, ...wait });
  const { rows } = api.storageOf("r1");
  rows.set(key, { ...(rows.get(key) as object), ...fields });
  api.evict("r1");
  return structuredClone(rows);
}

/** Returns the text that a follower of the run gets, up to `text`. */
async function readUntil(text: string): Promise<string> {
  const reader = (await api.fetch("/api/runs/r1/stream")).body?.getReader();
  let received = "";
  while (!received.includes(text)) {
    const { value, done } = (await reader?.read()) ?? { done: true };
    if (done) break;
    received += new TextDecoder().decode(value);
  }
  await reader?.cancel();
  return received;
}

describe.each([
  ["a header of a newer format", "record", { v: 2 }],
  ["a reserved header field", "record", { build: "b2" }],
  ["a reserved entry", "journal/0000000002", { type: "version.marked" }],
  ["a list of used features", "record", { uses: ["version.marked"] }],
])("a run with %s", (_what, key, fields) => {
  test("VER4 is shown paused with NEWER_FORMAT, in the record and to readers that follow", async () => {
    await changed(key, fields);
    expect(await answerOf(await api.fetch("/api/runs/r1"))).toMatchObject({
      status: 200,
      body: { id: "r1", status: "paused", error: { code: "NEWER_FORMAT" } },
    });
    expect(await answerOf(await api.fetch("/api/runs/r1/journal"))).toMatchObject({ status: 200 });
    expect(await answerOf(await api.fetch("/api/runs/r1/audit"))).toMatchObject({ status: 200 });
    expect(await readUntil("NEWER_FORMAT")).toContain('"status":"paused"');
  });

  test("VER4 DUR1 answers every request 503 newer_format and changes no row", async () => {
    const posts = ["signals", "events", "cancel", "pause", "retry", "resume"];
    const bodies: Record<string, object> = { signals: { name: "go" }, events: { eventType: "go" }, resume: {} };
    for (const post of posts) {
      // Each request gets a fresh object: the first refusal marks the run, and later ones rely on the mark.
      api = new FakeDeployment(workflows);
      const rows = await changed(key, fields);
      const init = bodies[post] === undefined ? { method: "POST" } : { json: bodies[post] };
      expect([post, await answerOf(await api.fetch(`/api/runs/r1/${post}`, init))]).toMatchObject([
        post,
        { status: 503, body: { error: "newer_format" } },
      ]);
      expect(api.storageOf("r1").rows).toEqual(rows);
    }
    api = new FakeDeployment(workflows);
    const rows = await changed(key, fields);
    const again = { json: { workflowId: "approve", runId: "r1", input: {} } };
    expect(await answerOf(await api.fetch("/api/runs", again))).toMatchObject({ body: { error: "newer_format" } });
    api.evict("r1");
    expect((await api.fetch("/api/runs/r1", { method: "DELETE" })).status).toBe(503);
    expect(api.storageOf("r1").rows).toEqual(rows);
  });

  test("VER4 DUR5 has an alarm that changes no row and sets the next alarm", async () => {
    const rows = await changed(key, fields);
    await api.fetch("/api/runs/r1");
    expect(api.storageOf("r1").alarmAt).toBeGreaterThan(Date.now());
    await api.alarm("r1");
    expect(api.storageOf("r1").alarmAt).toBeGreaterThan(Date.now());
    expect(api.storageOf("r1").rows).toEqual(rows);
  });
});

test("VER4 SEC2 audit rows of a newer format and operations that do not parse are shown within the documented forms", async () => {
  await changed("audit/0000000001", { v: 2, by: { name: "x" }, extra: 1 });
  expect(await answerOf(await api.fetch("/api/runs/r1/audit"))).toMatchObject({
    status: 200,
    body: { entries: [{ action: "trigger" }, { action: "unreadable", by: "" }] },
  });
  for (const op of ["charge", undefined, 5]) {
    api = new FakeDeployment(workflows);
    await changed("journal/0000000001", { op });
    expect((await api.fetch("/api/runs/r1/journal")).status).toBe(200);
    expect(await answerOf(await api.fetch("/api/runs/r1"))).toMatchObject({ body: { status: "paused" } });
  }
});

test("VER4 CHILD4 an outbox row without an address stays, and the run answers and continues", async () => {
  await changed("outbox/0000000001", { v: 2, message: {} });
  const { rows } = api.storageOf("r1");
  const header = rows.get("record") as object;
  rows.set("record", { ...header, outbox: { count: 1, next: 2, failures: 0, retryAt: 1 } });
  api.evict("r1");
  expect((await api.fetch("/api/runs/r1/signals", { json: { name: "other" } })).status).toBe(202);
  expect(api.storageOf("r1").rows.has("outbox/0000000001")).toBe(true);
});

test("VER4 a reserved entry in the middle of the journal is detected when the record is read", async () => {
  await changed("journal/0000000001", { type: "edited" });
  expect(await answerOf(await api.fetch("/api/runs/r1"))).toMatchObject({
    body: { status: "paused", error: { code: "NEWER_FORMAT" } },
  });
  expect((await api.fetch("/api/runs/r1/signals", { json: { name: "other" } })).status).toBe(503);
});

test.each([...RESERVED_HEADER_FIELDS, "flags"])(
  "VER4 LIM2 a trigger with the field %s is rejected with 400",
  async (field) => {
    const json = { workflowId: "approve", runId: "r1", input: {}, [field]: 1 };
    expect(await answerOf(await api.fetch("/api/runs", { json }))).toMatchObject({
      status: 400,
      body: { error: "invalid_body" },
    });
  },
);

test("VER4 LIM2 a value of a request is never decoded as an encoded value", async () => {
  const json = { workflowId: "approve", runId: "r1", input: "h1.k7.c2VhbGVk" };
  expect(await answerOf(await api.fetch("/api/runs", { json, ...wait }))).toMatchObject({
    body: { input: "h1.k7.c2VhbGVk", status: "waiting" },
  });
});
