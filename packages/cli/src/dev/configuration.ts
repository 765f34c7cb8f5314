/**
 * The configuration of workerd for the local server.
 *
 * Owns: its text. The names of the object namespaces are the names of the folders with the runs, and object ids are
 * derived from them: with other names no run is found.
 */

export interface Configuration {
  /** The absolute path of the folder with the runs; `undefined`: nothing is stored. */
  readonly data: string | undefined;
  readonly compatibilityDate: string;
  readonly compatibilityFlags: readonly string[];
  /** Texts, and values that are bound as JSON. */
  readonly variables: Readonly<Record<string, unknown>>;
  /** Object classes of the user's own, by binding. */
  readonly classes: Readonly<Record<string, string>>;
}

const CLASSES = [
  { binding: "WORKFLOW_RUN_DO", className: "WorkflowRunDO", uniqueKey: "holdfast-runs" },
  { binding: "RUN_INDEX_DO", className: "RunIndexDO", uniqueKey: "holdfast-index" },
  { binding: "COORDINATOR_DO", className: "CoordinatorDO", uniqueKey: "holdfast-coordinators" },
] as const;

/** Returns the text of a Cap'n Proto configuration. The bundle is the file worker.js beside it. The port is chosen at the start, and reported on `--control-fd`. */
export function configurationText({ data, ...rest }: Configuration): string {
  const own = Object.entries(rest.classes).map(([binding, className]) => ({
    binding,
    className,
    uniqueKey: className,
  }));
  const objects = [...CLASSES, ...own];
  const namespaces = new Map(objects.map(({ className, uniqueKey }) => [className, uniqueKey]));
  const bindings = [
    ...objects.map(
      ({ binding, className }) => `(name = ${quote(binding)}, durableObjectNamespace = ${quote(className)})`,
    ),
    ...Object.entries(rest.variables).map(([name, value]) => `(name = ${quote(name)}, ${valueOf(value)})`),
  ];
  return `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "holdfast", worker = .holdfast),
    ${data === undefined ? "" : `(name = "data", disk = (path = ${quote(data)}, writable = true, allowDotfiles = true)),`}
    (name = "internet", network = (allow = ["public", "private"], tlsOptions = (trustBrowserCas = true))),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "holdfast")],
  logging = (structuredLogging = true),
);

const holdfast :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js")],
  compatibilityDate = ${quote(rest.compatibilityDate)},
  compatibilityFlags = [${rest.compatibilityFlags.map(quote).join(", ")}],
  durableObjectNamespaces = [
    ${[...namespaces].map(([name, key]) => `(className = ${quote(name)}, uniqueKey = ${quote(key)}, enableSql = true),`).join("\n    ")}
  ],
  durableObjectStorage = ${data === undefined ? "(inMemory = void)" : '(localDisk = "data")'},
  bindings = [
    ${bindings.join(",\n    ")},
  ],
);
`;
}

function valueOf(value: unknown): string {
  return typeof value === "string" ? `text = ${quote(value)}` : `json = ${quote(JSON.stringify(value))}`;
}

/** Writes text as a literal of Cap'n Proto, which knows no escapes of Unicode. */
function quote(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what must be escaped
  return `"${text.replace(/[\\"\u0000-\u001f\u007f]/g, (one) => (one === "\\" || one === '"' ? `\\${one}` : `\\x${one.charCodeAt(0).toString(16).padStart(2, "0")}`))}"`;
}
