/**
 * The configuration of workerd for the measured Worker.
 *
 * Owns: its text. The files main.js and sibling.js are beside it. The folder with the objects and the address are arguments
 * of the command.
 */

/** The bindings of the measured Worker that are texts. */
export type Bindings = Readonly<Record<string, string>>;

const SIBLING = `const sibling :Workerd.Worker = (
  modules = [(name = "sibling.js", esModule = embed "sibling.js")],
  compatibilityDate = "2026-10-01",
);
`;

/** `heapMiB`: the limit of the heap of each isolate. */
export function describeWorkerd(bindings: Bindings, heapMiB: number | undefined): string {
  const texts = Object.entries(bindings).map(
    ([name, text]) => `(name = ${JSON.stringify(name)}, text = ${JSON.stringify(text)})`,
  );
  return `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  v8Flags = [${heapMiB === undefined ? "" : `"--max-heap-size=${heapMiB}"`}],
  services = [
    (name = "bench", worker = .bench),
    (name = "sibling", worker = .sibling),
    (name = "data", disk = (writable = true, allowDotfiles = true)),
    (name = "internet", network = (allow = ["public", "private"])),
  ],
  sockets = [(name = "http", http = (), service = "bench")],
);

const bench :Workerd.Worker = (
  modules = [(name = "main.js", esModule = embed "main.js")],
  compatibilityDate = "2026-10-01",
  durableObjectNamespaces = [
    (className = "WorkflowRunDO", uniqueKey = "runs", enableSql = true),
    (className = "RunIndexDO", uniqueKey = "index", enableSql = true),
    (className = "CoordinatorDO", uniqueKey = "coordinators", enableSql = true),
    (className = "FloorDO", uniqueKey = "floor", enableSql = true),
  ],
  durableObjectStorage = (localDisk = "data"),
  bindings = [
    (name = "WORKFLOW_RUN_DO", durableObjectNamespace = "WorkflowRunDO"),
    (name = "RUN_INDEX_DO", durableObjectNamespace = "RunIndexDO"),
    (name = "COORDINATOR_DO", durableObjectNamespace = "CoordinatorDO"),
    (name = "FLOOR", durableObjectNamespace = "FloorDO"),
    (name = "SIBLING", service = "sibling"),
    (name = "SIBLING_RPC", service = (name = "sibling", entrypoint = "Workflows")),
    (name = "SIBLING_FLOOR", service = (name = "sibling", entrypoint = "Floor")),
    ${texts.join(",\n    ")},
  ],
);

${SIBLING}`;
}
