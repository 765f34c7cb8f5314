/**
 * Cloudflare Workflows, in the local engine that comes with miniflare.
 *
 * Owns: the runtime, and the requests to it. They go straight to the Worker, not through miniflare's own one.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundleWorker } from "@holdfast/cli/bundle";
import { watchWorkerd } from "@holdfast/local-runtime/workerd-process";
import { Miniflare, convertV4MiniflareOptions } from "miniflare";
import { residentBytes } from "../platform.ts";
import type { System, Work } from "./system.ts";

export interface CloudflareWorkflows extends System {
  readonly directory: string;
  /** Runs `n` parallel steps that take `ms` each. */
  parallel(id: string, n: number, ms: number): Promise<void>;
  /** Resident memory of workerd, bytes. */
  memory(): number;
  dispose(): Promise<void>;
}

export async function startCloudflareWorkflows(): Promise<CloudflareWorkflows> {
  const directory = mkdtempSync(join(tmpdir(), "holdfast-bench-cloudflare-"));
  const workerd = watchWorkerd();
  const runtime = new Miniflare(await describe(directory));
  const remove = (): void => rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  process.on("exit", remove);
  await runtime.ready;
  const { origin } = await runtime.unsafeGetDirectURL("peer");
  const ask = async (path: string, id: string, json: object = {}): Promise<void> => {
    const response = await fetch(`${origin}${path}?id=${id}`, { method: "POST", body: JSON.stringify(json) });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${text.slice(0, 300)}`);
  };
  return {
    what: "Cloudflare Workflows",
    who: "peer",
    directory,
    run: (id, work: Work) => ask("/run", id, { kind: "steps", ...work }),
    park: (id, work: Work) => ask("/park", id, { kind: "steps", ...work }),
    parallel: (id, n, ms) => ask("/run", id, { kind: "parallel", n, ms }),
    result: (id) => ask("/result", id),
    signal: (id) => ask("/signal", id),
    memory: () => residentBytes(workerd()?.pid),
    async dispose() {
      await runtime.dispose();
      remove();
      process.off("exit", remove);
    },
  };
}

async function describe(directory: string) {
  return convertV4MiniflareOptions({
    cf: false,
    telemetry: { enabled: false },
    resourcePersistencePath: directory,
    handleStructuredLogs: () => {},
    workers: [
      {
        compatibilityDate: "2026-10-01",
        compatibilityFlags: ["nodejs_compat"],
        name: "peer",
        modules: true,
        script: await bundleWorker(join(import.meta.dirname, "../workers/cloudflare-workflows.ts")),
        unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
        workflows: { PEER: { name: "peer", className: "Peer" } },
      },
    ],
  });
}
