# Holdfast on plain workerd: one machine, storage on disk.
#
# build.ts compiles this file, the bundled Worker and workerd into one executable. An operator sets:
#   --socket-addr http=127.0.0.1:8787           the address to listen on
#   --directory-path data=/var/lib/holdfast     the folder with the runs; it must exist
#   API_TOKENS, PUBLIC_URL, ALLOWED_ORIGINS, URL_KEYS, ENVIRONMENT, EXECUTIONS_MAX, HOLD, LIMITS, RETENTION, REV,
#   LOG_EVENTS, OTLP_URL, OTLP_HEADERS                      environment variables

using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "holdfast", worker = .holdfast),
    # A relative path is relative to the current folder of the process.
    (name = "data", disk = (path = "data", writable = true, allowDotfiles = true)),
    # The networks that fetch() in workflows may reach. "private" is your own network and this machine: remove it if no
    # workflow needs it.
    (name = "internet", network = (allow = ["public", "private"], tlsOptions = (trustBrowserCas = true))),
  ],
  sockets = [(name = "http", address = "127.0.0.1:8787", http = (), service = "holdfast")],
  # log-lines.ts makes the lines of the log. workerd would put each as a text into an object of its own.
  logging = (structuredLogging = false),
);

const holdfast :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "dist/worker.js")],
  # The date of apps/orchestrator-worker/wrangler.jsonc. From this date on, nodejs_compat is on by default.
  compatibilityDate = "2026-10-01",
  # The key is the name of the folder with the runs, and their object ids are derived from it. With another key no run is
  # found.
  durableObjectNamespaces = [
    (className = "WorkflowRunDO", uniqueKey = "holdfast-runs", enableSql = true),
    (className = "RunIndexDO", uniqueKey = "holdfast-index", enableSql = true),
    (className = "CoordinatorDO", uniqueKey = "holdfast-coordinators", enableSql = true),
  ],
  durableObjectStorage = (localDisk = "data"),
  bindings = [
    (name = "WORKFLOW_RUN_DO", durableObjectNamespace = "WorkflowRunDO"),
    (name = "RUN_INDEX_DO", durableObjectNamespace = "RunIndexDO"),
    (name = "COORDINATOR_DO", durableObjectNamespace = "CoordinatorDO"),
    # For the log: the time of the start.
    (name = "started", fromEnvironment = "HOLDFAST_STARTED"),
    # /metrics shows the counters of this process, which is the whole deployment.
    (name = "SINGLE_PROCESS", text = "true"),
    # null if the variable is not set: the API is closed then.
    (name = "API_TOKENS", fromEnvironment = "API_TOKENS"),
    (name = "PUBLIC_URL", fromEnvironment = "PUBLIC_URL"),
    (name = "ALLOWED_ORIGINS", fromEnvironment = "ALLOWED_ORIGINS"),
    (name = "URL_KEYS", fromEnvironment = "URL_KEYS"),
    (name = "EXECUTIONS_MAX", fromEnvironment = "EXECUTIONS_MAX"),
    (name = "HOLD", fromEnvironment = "HOLD"),
    (name = "REV", fromEnvironment = "REV"),
    (name = "ENVIRONMENT", fromEnvironment = "ENVIRONMENT"),
    (name = "LIMITS", fromEnvironment = "LIMITS"),
    (name = "RETENTION", fromEnvironment = "RETENTION"),
    (name = "LOG_EVENTS", fromEnvironment = "LOG_EVENTS"),
    (name = "OTLP_URL", fromEnvironment = "OTLP_URL"),
    (name = "OTLP_HEADERS", fromEnvironment = "OTLP_HEADERS"),
  ],
);
