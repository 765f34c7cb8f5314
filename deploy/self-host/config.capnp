# Holdfast on plain workerd: one machine, storage on disk.
#
# build.ts puts this file, the bundled Worker and workerd into one executable. What an operator chooses comes from outside:
#   --socket-addr http=127.0.0.1:8787           where it listens
#   --directory-path data=/var/lib/holdfast     where the runs are; the folder must exist
#   API_TOKENS, ENVIRONMENT, RETENTION, OTLP_URL, OTLP_HEADERS     environment variables

using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "holdfast", worker = .holdfast),
    # A relative path begins at the folder in which the process was started.
    (name = "data", disk = (path = "data", writable = true, allowDotfiles = true)),
    # What fetch() in workflows may reach. "private" is your own network and this machine: take it out if no workflow needs it.
    (name = "internet", network = (allow = ["public", "private"], tlsOptions = (trustBrowserCas = true))),
  ],
  sockets = [(name = "http", address = "127.0.0.1:8787", http = (), service = "holdfast")],
  # One JSON object a line.
  logging = (structuredLogging = true),
);

const holdfast :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "dist/worker.js")],
  # That of apps/orchestrator-worker/wrangler.jsonc. From this date on, nodejs_compat need not be said.
  compatibilityDate = "2026-10-01",
  # The key names the folder of the runs and is part of what their ids are made from. With another key no run is found.
  durableObjectNamespaces = [
    (className = "WorkflowRunDO", uniqueKey = "holdfast-runs", enableSql = true),
    (className = "RunIndexDO", uniqueKey = "holdfast-index", enableSql = true),
  ],
  durableObjectStorage = (localDisk = "data"),
  bindings = [
    (name = "WORKFLOW_RUN_DO", durableObjectNamespace = "WorkflowRunDO"),
    (name = "RUN_INDEX_DO", durableObjectNamespace = "RunIndexDO"),
    # null where the variable is not set: then the API is closed.
    (name = "API_TOKENS", fromEnvironment = "API_TOKENS"),
    (name = "ENVIRONMENT", fromEnvironment = "ENVIRONMENT"),
    (name = "LIMITS", fromEnvironment = "LIMITS"),
    (name = "RETENTION", fromEnvironment = "RETENTION"),
    (name = "OTLP_URL", fromEnvironment = "OTLP_URL"),
    (name = "OTLP_HEADERS", fromEnvironment = "OTLP_HEADERS"),
  ],
);
