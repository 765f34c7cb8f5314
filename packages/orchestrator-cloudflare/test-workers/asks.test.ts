/** tests: asks in real objects: the list in real SQL, answers that do not fit, an eviction, and the page of a public link */
import { exports } from "cloudflare:workers";
import { expect, test } from "vitest";
import { call, evict, inObject, read, trigger, untilStatus } from "./api-client.ts";
import { resetAfterEach } from "./declared-output.ts";

resetAfterEach();

const worker = (exports as { default: Fetcher }).default;

interface Listed {
  readonly approvals: readonly { readonly runId: string; readonly tokenId: string; readonly until?: number }[];
  readonly nextCursor: string | null;
}

async function list(query = ""): Promise<Listed> {
  return (await call(`/api/approvals?${query}`)).json();
}

// The index is bound to runs with this prefix only.
const [FIRST, SECOND] = ["indexed-ask-1", "indexed-ask-2"];

test("ASK4 ASK6 an ask is listed, checked after an eviction, answered once, and leaves the list", async () => {
  await trigger("asks", FIRST, { timeout: "2h" });
  await trigger("asks", SECOND, { timeout: "1h" });
  await expect.poll(async () => (await list()).approvals.map(({ runId }) => runId)).toEqual([SECOND, FIRST]);
  const page = await list("limit=1&assignee=role:finance");
  expect(page.approvals).toMatchObject([{ runId: SECOND, title: "Refund?", assignees: ["role:finance"] }]);
  expect((await list(`limit=1&cursor=${page.nextCursor}`)).approvals).toMatchObject([{ runId: FIRST }]);
  // A large ask is in a row of its own.
  expect(await inObject(SECOND, ({ storage }) => JSON.stringify(storage.kv.get("record")).length)).toBeLessThan(4_000);
  await evict(SECOND);
  const path = `/api/runs/${SECOND}/tokens/${page.approvals[0]?.tokenId}`;
  const refused = await call(path, { payload: { cents: "many" } });
  expect([refused.status, await refused.json()]).toEqual([
    400,
    expect.objectContaining({
      error: "invalid_answer",
      details: { issues: [{ path: "/cents", message: "must be a whole number" }] },
    }),
  ]);
  expect((await call(path, { payload: { cents: 5 } })).status).toBe(202);
  expect((await call(path, { payload: { cents: 6 } })).status).toBe(409);
  expect((await untilStatus(SECOND, "completed")).output).toEqual({ cents: 5 });
  await expect.poll(async () => (await list()).approvals.map(({ runId }) => runId)).toEqual([FIRST]);
});

test("ASK7 the page of a public link has the form of the ask, in workerd", async () => {
  await trigger("asks", FIRST, { public: true });
  const { metadata } = (await read(FIRST)) as unknown as { metadata: { url: string } };
  expect(await (await call(metadata.url)).text()).toContain('<input type="number" id="f0" name=".cents"');
  const send = (body: string): Promise<Response> => {
    const headers = { "Content-Type": "application/x-www-form-urlencoded", Accept: "text/html" };
    return worker.fetch(`https://holdfast.test${metadata.url}`, { method: "POST", headers, body });
  };
  const refused = await send(".cents=-1");
  expect([refused.status, await refused.text()]).toEqual([400, expect.stringContaining("must be at least 0")]);
  expect((await send(".cents=7")).status).toBe(200);
  expect((await untilStatus(FIRST, "completed")).output).toEqual({ cents: 7 });
});
