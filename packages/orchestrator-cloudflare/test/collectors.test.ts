/** Collectors of telemetry that redirect, are silent, or answer with more than anybody reads. */
import { once } from "node:events";
import { type RequestListener, type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { workflow } from "@holdfast/workflows";
import { afterEach, describe, expect, test, vi } from "vitest";
import { type OtlpOptions, otlpCounters, otlpExporter } from "../src/index.ts";
import { FakeDeployment } from "./fake-platform.ts";

const empty = workflow({ id: "empty", run: () => null });
const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
  vi.restoreAllMocks();
});

async function listen(answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, "127.0.0.1");
  servers.push(server);
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Exports one ended run, and returns what the log says about it. */
async function exportRun(options: OtlpOptions): Promise<readonly unknown[]> {
  const log = vi.spyOn(console, "warn").mockImplementation(() => {});
  const send = otlpExporter(options);
  const { promise: sent, resolve } = Promise.withResolvers<void>();
  const telemetry = { ended: (...run: Parameters<typeof send>) => send(...run).finally(resolve) };
  const api = new FakeDeployment([empty], {}, undefined, { telemetry });
  await api.fetch("/api/runs", { json: { runId: "r", workflowId: "empty" } });
  await sent;
  return log.mock.calls.flat();
}

describe("a collector", () => {
  test.each([301, 302, 303, 307, 308])(
    "OBS1 that answers %d gets neither the headers nor the data to another place, and the log says so",
    async (status) => {
      const reached: unknown[] = [];
      const target = await listen(({ method, headers }, response) => {
        reached.push([method, headers["x-api-key"]]);
        response.end("{}");
      });
      const url = await listen((_request, response) => response.writeHead(status, { Location: target }).end());
      const options = { url, headers: { "X-Api-Key": "secret" } };
      expect(await exportRun(options)).toEqual([expect.stringContaining(`the collector answered ${status}`)]);
      await expect(otlpCounters(options)([])).rejects.toThrow(`answered ${status}`);
      expect(reached).toEqual([]);
    },
  );

  test("OBS1 that never answers holds a trace for a bounded time", async () => {
    const timeout = vi.spyOn(AbortSignal, "timeout").mockReturnValue(AbortSignal.abort(new Error("too slow")));
    const url = await listen(() => {});
    expect(await exportRun({ url, retryAfterMs: [] })).toEqual([expect.stringContaining("too slow")]);
    expect(timeout.mock.calls).toEqual([[10_000]]);
  });

  test.each([200, 400])("OBS1 whose answer %d never ends keeps no connection", async (status) => {
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    const url = await listen((_request, response) => {
      response.on("close", resolve).writeHead(status).write("x".repeat(100_000));
    });
    await exportRun({ url, retryAfterMs: [] });
    await closed;
  });
});
