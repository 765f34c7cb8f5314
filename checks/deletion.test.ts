/**
 * Compares the disk of a real runtime with what docs/reference/security.md says about a deletion: what is gone, and what remains.
 */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { type LocalRuntime, startLocalRuntime } from "@holdfast/local-runtime";
import { afterEach, expect, test, vi } from "vitest";

const VALUE = "zebra-value";
const RUN = "zebra-run";

let runtime: LocalRuntime | undefined;

afterEach(() => runtime?.dispose());

/** Returns the places on the disk whose files contain the text, with the number of files. */
function placesOf(text: string): Readonly<Record<string, number>> {
  const folder = join(runtime?.directory ?? "", "do");
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const found = files.filter(({ parentPath, name }) => readFileSync(join(parentPath, name)).includes(text));
  // An object has a file, and a log of it.
  const objects = new Set(found.map(({ parentPath, name }) => join(parentPath, name.split(".")[0] ?? "")));
  const places: Record<string, number> = {};
  for (const object of objects) {
    const place = /RunIndexDO/.test(object) ? "index" : object.endsWith("metadata") ? "alarms" : "runs";
    places[place] = (places[place] ?? 0) + 1;
  }
  return places;
}

async function send(method: string, path: string, body?: object, key = "zebra-key"): Promise<number> {
  const headers = { "Content-Type": "application/json", Prefer: "wait=10", "Idempotency-Key": key };
  const content = body === undefined ? {} : { body: JSON.stringify(body) };
  const response = await fetch(`${runtime?.url}/api/runs${path}`, { method, headers, ...content });
  await response.text();
  return response.status;
}

test(
  "VER3 a deletion leaves no value of the run on the disk, and its id neither in its object nor in that of its key",
  { timeout: 180_000 },
  async () => {
    runtime = await startLocalRuntime();
    const input = { orderId: VALUE, cents: 1 };
    expect(await send("POST", "", { workflowId: "order", runId: RUN, input, tags: [VALUE] })).toBe(201);
    expect(await send("POST", `/${RUN}/signals`, { name: "approval", payload: { ok: true, by: VALUE } })).toBe(202);
    expect(await send("GET", `/${RUN}`)).toBe(200);
    await vi.waitFor(() => expect(placesOf(RUN)).toMatchObject({ index: 1, runs: 2 }), { timeout: 20_000 });
    expect(placesOf(VALUE)).toMatchObject({ runs: 1 });
    await vi.waitFor(async () => expect(await send("DELETE", `/${RUN}`)).toBe(204), { timeout: 20_000 });
    // Tags are in the index, where SQLite may keep the bytes of deleted rows.
    expect(placesOf(VALUE)).not.toHaveProperty("runs");
    expect(placesOf(RUN)).toMatchObject({ index: 1 });
    expect(placesOf(RUN)).not.toHaveProperty("runs");
  },
);

test("SEC8 a rejected trigger with an idempotency key leaves no row", { timeout: 180_000 }, async () => {
  runtime = await startLocalRuntime();
  expect(await send("POST", "", { workflowId: "absent", runId: RUN }, "another-key")).toBe(404);
  expect(placesOf(RUN)).toEqual({});
});
