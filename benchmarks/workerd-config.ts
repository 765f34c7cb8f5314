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

/** The classes of objects, their bindings, and the keys of their storage. */
const OBJECTS = [
  ["WorkflowRunDO", "WORKFLOW_RUN_DO", "runs"],
  ["RunIndexDO", "RUN_INDEX_DO", "index"],
  ["CoordinatorDO", "COORDINATOR_DO", "coordinators"],
  ["FloorDO", "FLOOR", "floor"],
] as const;

const NAMESPACES = OBJECTS.map(([name, , key]) => `(className = "${name}", uniqueKey = "${key}", enableSql = true)`);
const OBJECT_BINDINGS = OBJECTS.map(([name, binding]) => `(name = "${binding}", durableObjectNamespace = "${name}")`);

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
    ${NAMESPACES.join(",\n    ")},
  ],
  durableObjectStorage = (localDisk = "data"),
  bindings = [
    ${OBJECT_BINDINGS.join(",\n    ")},
    (name = "SIBLING", service = "sibling"),
    (name = "SIBLING_RPC", service = (name = "sibling", entrypoint = "Workflows")),
    (name = "SIBLING_FLOOR", service = (name = "sibling", entrypoint = "Floor")),
    ${texts.join(",\n    ")},
  ],
);

${SIBLING}`;
}
