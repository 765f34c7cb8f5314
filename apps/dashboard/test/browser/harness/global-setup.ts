/**
 * What all files of tests share: the unpacked browser, and the folder with the bundled Worker and its configurations.
 *
 * Owns: the folder, which it removes.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { buildDashboard } from "@holdfast/dashboard/build";
import { bundleWorkerTo } from "@holdfast/cli/bundle";
import { findBrowser, mustHaveBrowser } from "./find-browser.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The path of the browser, or "": the tests are skipped. */
    readonly browser: string;
    readonly workerFolder: string;
  }
}

export default async function setUp(project: TestProject): Promise<() => void> {
  const browser = await findBrowser();
  if (browser === undefined && mustHaveBrowser())
    throw new Error("There is no browser. Install the packages of the lockfile, or chromium.");
  if (browser === undefined)
    console.log("There is no browser, so its tests are skipped. Install chromium to run them.");
  const folder = mkdtempSync(join(tmpdir(), "holdfast-browser-"));
  await buildDashboard();
  await bundleWorkerTo(join(folder, "worker.js"), join(import.meta.dirname, "worker.ts"));
  writeFileSync(join(folder, "index.capnp"), configText({ hasIndex: true }));
  writeFileSync(join(folder, "no-index.capnp"), configText({ hasIndex: false }));
  project.provide("browser", browser ?? "");
  project.provide("workerFolder", folder);
  return () => rmSync(folder, { recursive: true, force: true });
}

/** As deploy/self-host/config.capnp, with other workflows. */
function configText({ hasIndex }: { readonly hasIndex: boolean }): string {
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "holdfast", worker = .holdfast),
    (name = "data", disk = (path = "data", writable = true, allowDotfiles = true)),
    (name = "internet", network = (allow = [])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "holdfast")],
);
const holdfast :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js")],
  compatibilityDate = "2026-10-01",
  durableObjectNamespaces = [
    (className = "WorkflowRunDO", uniqueKey = "holdfast-runs", enableSql = true),
    (className = "RunIndexDO", uniqueKey = "holdfast-index", enableSql = true),
  ],
  durableObjectStorage = (localDisk = "data"),
  bindings = [
    (name = "WORKFLOW_RUN_DO", durableObjectNamespace = "WorkflowRunDO"),
    ${hasIndex ? '(name = "RUN_INDEX_DO", durableObjectNamespace = "RunIndexDO"),' : ""}
    (name = "API_TOKENS", fromEnvironment = "API_TOKENS"),
    (name = "AUTH", fromEnvironment = "AUTH"),
    (name = "ENVIRONMENT", text = "production"),
  ],
);
`;
}
