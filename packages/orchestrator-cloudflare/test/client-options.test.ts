/** tests: the options of the client: each has an effect or is rejected */
import { workflow } from "@holdfast/workflows";
import { type Client, type RunHandle, type TriggerOptions, createClient } from "@holdfast/workflows/client";
import { beforeEach, describe, expect, test } from "vitest";
import { FakeDeployment } from "./fake-platform.ts";

const waits = workflow({ id: "waits", run: (_input, ctx) => ctx.waitForSignal("s") });

let client: Client;
let sent: Request[];
beforeEach(() => {
  sent = [];
  const api = new FakeDeployment([waits]);
  client = createClient({
    url: "https://flows.example",
    fetch: (request) => {
      sent.push(request.clone());
      return api.handle(request);
    },
  });
});

const x = { x: 1 } as never;

const calls: readonly [string, (api: Client, run: RunHandle) => unknown][] = [
  ["trigger", (api) => api.trigger("waits", 1, x)],
  ["the field workflowId of trigger", (api) => api.trigger("waits", 1, { workflowId: "other" } as never)],
  ["workflows", (api) => api.workflows(x)],
  ["healthy", (api) => api.healthy(x)],
  ["health", (api) => api.health(x)],
  ["deployment", (api) => api.deployment(x)],
  ["rebuildIndex", (api) => api.rebuildIndex({}, x)],
  ["get", (_api, run) => run.get(x)],
  ["result", (_api, run) => run.result(x)],
  ["ended", (_api, run) => run.ended(x)],
  ["audit", (_api, run) => run.audit(x)],
  ["journal", (_api, run) => run.journal(x).next()],
  ["stream", (_api, run) => run.stream(x).next()],
  ["ticket", (_api, run) => run.ticket(x)],
  ["signal", (_api, run) => run.signal("s", 1, x)],
  ["event", (_api, run) => run.event("e", 1, x)],
  ["resolveToken", (_api, run) => run.resolveToken("t", 1, x)],
  ["cancel", (_api, run) => run.cancel("why", x)],
  ["terminate", (_api, run) => run.terminate("why", x)],
  ["pause", (_api, run) => run.pause(x)],
  ["unpause", (_api, run) => run.unpause(x)],
  ["retry", (_api, run) => run.retry(x)],
  ["resume", (_api, run) => run.resume(x)],
  ["delete", (_api, run) => run.delete(x)],
];

describe("options of the client", () => {
  test.each(calls)("RUN7 an unknown option is rejected before a request: %s", async (_name, act) => {
    await expect(async () => act(client, client.run("r"))).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringContaining("unknown option"),
    });
    expect(sent).toEqual([]);
  });

  test.each([
    { url: "flows" },
    { url: "https://user:secret@flows.example" },
    { token: "line\nbreak" },
    { attempts: 0 },
    { attempts: Number.NaN },
    { timeoutMs: 0 },
    { retryAfterMs: -1 },
    { retries: 3 },
  ])("RUN7 createClient rejects %j", (options) => {
    expect(() => createClient({ url: "https://flows.example", ...options })).toThrow(/createClient\.\w+: /);
  });

  test("RUN7 the option from of a stream is start or now", () => {
    expect(() => client.run("r").stream({ from: "end" } as never)).toThrow('must be "start" or "now"');
  });

  test("RUN2 an option with the value undefined does not replace the client's own key or id", async () => {
    const undefinedKey = { idempotencyKey: undefined, runId: undefined } as unknown as TriggerOptions;
    const run = await client.trigger("waits", 1, undefinedKey);
    expect(await sent[0]?.json()).toMatchObject({ idempotencyKey: expect.any(String) });
    await expect(run.resume({ runId: undefined, resumeFromStep: undefined })).rejects.toThrow("parent_not_ended");
    expect(await sent.at(-1)?.json()).toMatchObject({ runId: expect.any(String) });
  });

  /** Each option with a value, and the field of the record that shows it. */
  const options: {
    readonly [K in keyof Required<Omit<TriggerOptions, "signal">>]: readonly [TriggerOptions[K], object];
  } = {
    runId: ["r", { id: "r" }],
    idempotencyKey: ["k", { idempotencyKey: "k" }],
    workflowVersion: ["7", { workflowVersion: "7" }],
    tags: [["vip"], { tags: ["vip"] }],
    delay: ["1h", { status: "pending" }],
    timeout: ["1h", { timeoutMs: 3_600_000 }],
    environment: ["staging", { environment: "staging" }],
    tenantMeta: [{ plan: "gold" }, { tenantMeta: { plan: "gold" } }],
    traceparent: [
      "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" },
    ],
  };

  test.each(Object.entries(options))("RUN7 the option %s of a trigger has an effect", async (name, [value, shown]) => {
    const run = await client.trigger("waits", 1, { [name]: value });
    expect(await run.get()).toMatchObject(shown);
  });
});
