/** tests: runs in the scripts of a dispatch namespace, and what follows if there is none, or it fails */
import { workflow } from "@holdfast/workflows";
import { createStepHandler } from "@holdfast/workflows/handler";
import { describe, expect, test, vi } from "vitest";
import {
  type DispatchNamespaceDispatcherOptions,
  type DispatchNamespaceLike,
  type FetcherLike,
  createDispatchNamespaceDispatcher,
} from "../src/index.ts";
import type { FakeDeployment } from "./fake-platform.ts";
import { deployed, read, until } from "./handler-network.ts";

function scriptOf(name: string): FetcherLike {
  const hello = workflow({
    id: "hello",
    run: async (_input, ctx) => {
      await ctx.step("say", () => name);
      return ctx.step("again", () => `${name} says hello`);
    },
  });
  return { fetch: createStepHandler({ workflows: [hello], signingKeys: "unsigned" }) };
}

/** A namespace like the platform's: a script that does not exist fails when it is called. */
class Namespace implements DispatchNamespaceLike {
  readonly scripts = new Map([
    ["acme", scriptOf("acme")],
    ["globex", scriptOf("globex")],
  ]);
  readonly gets: unknown[] = [];
  /** Replaces calls while it is set. */
  breaks: (() => Promise<Response>) | undefined;

  get(...given: Parameters<DispatchNamespaceLike["get"]>): FetcherLike {
    this.gets.push(given);
    const missing = (): never => {
      throw new Error("Worker not found.");
    };
    return {
      fetch: async (request) => this.breaks?.() ?? (this.scripts.get(given[0]) ?? { fetch: missing }).fetch(request),
    };
  }
}

const byTenant: DispatchNamespaceDispatcherOptions["script"] = ({ tenantMeta }) =>
  (tenantMeta as { tenant?: string } | undefined)?.tenant;

function deploy(
  namespace: DispatchNamespaceLike,
  more: Partial<DispatchNamespaceDispatcherOptions> = {},
): FakeDeployment {
  return deployed(createDispatchNamespaceDispatcher({ namespace, script: byTenant, ...more }));
}

async function trigger(api: FakeDeployment, tenant: unknown): Promise<void> {
  const json = { runId: "r", workflowId: "hello", tenantMeta: { tenant } };
  expect((await api.fetch("/api/runs", { json })).status).toBe(201);
}

describe("a dispatch namespace", () => {
  test("SEC5 each run executes in the script that is chosen for it, with its limits and arguments", async () => {
    const namespace = new Namespace();
    for (const tenant of ["acme", "globex"]) {
      const api = deploy(namespace, {
        limits: { cpuMs: 50, subRequests: 20 },
        outbound: ({ id, workflowId }) => ({ id, workflowId }),
      });
      await trigger(api, tenant);
      expect(await until(api, "completed")).toMatchObject({ output: `${tenant} says hello`, invocationCount: 1 });
      expect(namespace.gets.at(-1)).toEqual([
        tenant,
        {},
        { limits: { cpuMs: 50, subRequests: 20 }, outbound: { id: "r", workflowId: "hello" } },
      ]);
    }
  });

  test("DUR8 a run whose script does not exist is paused with its name, and a retry continues it", async () => {
    const namespace = new Namespace();
    const api = deploy(namespace);
    await trigger(api, "newcomer");
    expect(await until(api, "paused")).toMatchObject({
      error: {
        code: "DISPATCH_REFUSED",
        message: expect.stringContaining('The script "newcomer" is not in the dispatch'),
      },
    });
    namespace.scripts.set("newcomer", scriptOf("newcomer"));
    await api.fetch("/api/runs/r/retry", { method: "POST" });
    expect(await until(api, "completed")).toMatchObject({ output: "newcomer says hello" });
  });

  test.each([
    ["no name", () => undefined, "returned no name"],
    ["an empty name", () => "", "returned no name"],
    ["what is no name", () => 5 as never, "returned no name"],
    [
      "an error",
      () => {
        throw new Error("the plan is unknown");
      },
      "could not be chosen: the plan is unknown",
    ],
  ])("DUR8 a run for which the function returns %s is paused", async (_what, script, message) => {
    const api = deploy(new Namespace(), { script });
    await trigger(api, "acme");
    expect(await until(api, "paused")).toMatchObject({
      error: { code: "DISPATCH_REFUSED", message: expect.stringContaining(message) },
    });
  });

  test("DUR7 a script that exceeds its limits each time pauses its run after ten executions", async () => {
    const namespace = new Namespace();
    namespace.breaks = () => Promise.reject(new Error("Worker exceeded CPU time limit."));
    let now = Date.now();
    const api = deployed(createDispatchNamespaceDispatcher({ namespace, script: byTenant }), { clock: () => now });
    await trigger(api, "acme");
    await vi.waitFor(
      async () => {
        const { status, dispatch } = (await read(api)) as { status: string; dispatch?: { retryAt: number } };
        if (status === "paused") return;
        now = Math.max(now, dispatch?.retryAt ?? 0);
        await api.alarm("r");
        throw new Error(status);
      },
      { timeout: 10_000, interval: 5 },
    );
    expect(await read(api)).toMatchObject({ error: { code: "EXECUTOR_CRASHED" }, invocationCount: 10 });
  });

  test("DUR8 a namespace that does not answer is called again later, and the run completes", async () => {
    const namespace = new Namespace();
    namespace.breaks = () => Promise.reject(new Error("internal error"));
    const api = deploy(namespace);
    await trigger(api, "acme");
    await vi.waitFor(async () =>
      expect(await read(api)).toMatchObject({
        status: "running",
        dispatch: { message: expect.stringContaining('The script "acme": internal error') },
      }),
    );
    namespace.breaks = undefined;
    expect(await until(api, "completed")).toMatchObject({ output: "acme says hello" });
  });

  test("DUR8 a script without a fetch handler pauses its run, and the message names the script", async () => {
    const namespace = new Namespace();
    namespace.breaks = () => Promise.reject(new Error("Handler does not export a fetch() function."));
    const api = deploy(namespace);
    await trigger(api, "acme");
    expect(await until(api, "paused")).toMatchObject({
      error: {
        code: "DISPATCH_REFUSED",
        message: expect.stringMatching(/^The script "acme" has no fetch handler\. .*createStepHandler/),
      },
    });
  });

  test("SEC10 DUR8 a script that is no step handler pauses its run", async () => {
    for (const [answer, code] of [
      [() => Response.json({ error: "not_found" }, { status: 404 }), "DISPATCH_REFUSED"],
      [() => new Response("Hello World!"), "DISPATCH_REFUSED"],
      [() => new Response("<html>", { headers: { "Content-Type": "text/html" } }), "DISPATCH_REFUSED"],
      [() => new Response("<html>\n", { headers: { "Content-Type": "application/x-ndjson" } }), "PROTOCOL_MISMATCH"],
    ] as const) {
      const namespace = new Namespace();
      namespace.breaks = async () => answer();
      const api = deploy(namespace);
      await trigger(api, "acme");
      expect(await until(api, "paused")).toMatchObject({ error: { code } });
    }
  });
});

const valid = { namespace: new Namespace(), script: () => "acme" };

test.each([
  [{ ...valid, namespace: undefined }, "namespace: must be a dispatch namespace"],
  [{ ...valid, namespace: "TENANTS" }, "namespace: must be a dispatch namespace"],
  [{ namespace: valid.namespace }, "script: is missing"],
  [{ ...valid, script: "acme" }, "script: must be a function"],
  [{ ...valid, limits: { cpu: 5 } }, "limits: must be { cpuMs, subRequests }"],
  [{ ...valid, limits: { cpuMs: 0 } }, "limits: must be { cpuMs, subRequests }"],
  [{ ...valid, limits: 50 }, "limits: must be { cpuMs, subRequests }"],
  [{ ...valid, outbound: "x" }, "outbound: must be an object"],
  [{ ...valid, scripts: () => "acme" }, "scripts: unknown option. Did you mean script?"],
])("RUN7 createDispatchNamespaceDispatcher(%o) is refused, with what is right", (options, message) => {
  expect(() => createDispatchNamespaceDispatcher(options as never)).toThrow(
    `createDispatchNamespaceDispatcher.${message}`,
  );
});
