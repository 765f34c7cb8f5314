/**
 * The Worker of the tests as a file, and the configurations with which workerd starts it.
 *
 * Owns: the names of the files: worker.js, index.capnp, no-index.capnp.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildDashboard } from "@holdfast/dashboard/build";
import { bundleWorkerTo } from "@holdfast/cli/bundle";

export async function writeWorker(folder: string): Promise<void> {
  await buildDashboard();
  await bundleWorkerTo(join(folder, "worker.js"), join(import.meta.dirname, "worker.ts"));
  writeFileSync(join(folder, "index.capnp"), configText({ hasIndex: true }));
  writeFileSync(join(folder, "no-index.capnp"), configText({ hasIndex: false }));
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
    (className = "CoordinatorDO", uniqueKey = "holdfast-coordinators", enableSql = true),
  ],
  durableObjectStorage = (localDisk = "data"),
  bindings = [
    (name = "WORKFLOW_RUN_DO", durableObjectNamespace = "WorkflowRunDO"),
    (name = "COORDINATOR_DO", durableObjectNamespace = "CoordinatorDO"),
    ${hasIndex ? '(name = "RUN_INDEX_DO", durableObjectNamespace = "RunIndexDO"),' : ""}
    (name = "API_TOKENS", fromEnvironment = "API_TOKENS"),
    (name = "AUTH", fromEnvironment = "AUTH"),
    (name = "ENVIRONMENT", text = "production"),
  ],
);
`;
}
