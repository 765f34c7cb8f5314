/**
 * Restate: its server with storage on disk, and a Node service, both on this machine.
 *
 * Owns: both processes, the registration of the service, and the requests to the ingress.
 */
import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findFreePort } from "@holdfast/cli/free-port";
import { until } from "@holdfast/local-runtime/until";
import { peerFile } from "./install.ts";
import type { System, Work } from "./system.ts";

const START_MS_MAX = 60_000;
/** The server divides keys into 24 partitions, each of which starts on its own. So many keys reach all of them. */
const PROBES = 200;

interface Processes {
  readonly server: ChildProcess;
  readonly service: ChildProcess;
}

interface Places {
  readonly directory: string;
  readonly ingress: string;
  readonly admin: string;
  readonly fabric: string;
  readonly servicePort: number;
}

export async function startRestate(): Promise<Restate> {
  const restate = new Restate({
    directory: mkdtempSync(join(tmpdir(), "holdfast-bench-restate-")),
    ingress: await freeAddress(),
    admin: await freeAddress(),
    fabric: await freeAddress(),
    servicePort: await findFreePort(),
  });
  await restate.start();
  return restate;
}

async function freeAddress(): Promise<string> {
  return `127.0.0.1:${await findFreePort()}`;
}

class Restate implements System {
  readonly what = "Restate";
  readonly who = "peer";
  readonly #places: Places;
  /** Called when a run waits, by its id. */
  readonly #parked = new Map<string, () => void>();
  #processes: Processes | undefined;

  constructor(places: Places) {
    this.#places = places;
  }

  async start(): Promise<void> {
    process.on("exit", this.#remove);
    this.#processes = await startProcesses(this.#places, this.#parked);
    await register(this.#places);
  }

  async run(id: string, work: Work): Promise<void> {
    const answer = await this.#ask(`/bench/${id}/run`, work);
    if (answer !== String(work.n)) throw new Error(`answered ${answer} instead of ${work.n}`);
  }

  async park(id: string, work: Work): Promise<void> {
    const waits = new Promise<void>((resolve) => this.#parked.set(id, resolve));
    await this.#ask(`/bench/${id}/run/send`, work);
    await waits;
  }

  async result(id: string): Promise<void> {
    await this.#ask(`/restate/workflow/bench/${id}/attach`);
  }

  async signal(id: string): Promise<void> {
    await request(`http://${this.#places.ingress}/bench/${id}/signal`, undefined, "POST");
  }

  async restart(): Promise<void> {
    await ended(this.#processes);
    this.#processes = await startProcesses(this.#places, this.#parked);
  }

  async dispose(): Promise<void> {
    await ended(this.#processes);
    this.#remove();
    process.off("exit", this.#remove);
  }

  #ask(path: string, json?: Work): Promise<string> {
    return request(`http://${this.#places.ingress}${path}`, json);
  }

  readonly #remove = (): void => {
    for (const one of Object.values(this.#processes ?? {})) (one as ChildProcess).kill("SIGKILL");
    rmSync(this.#places.directory, { recursive: true, force: true, maxRetries: 5 });
  };
}

async function startProcesses(places: Places, parked: ReadonlyMap<string, () => void>): Promise<Processes> {
  const service = fork(join(import.meta.dirname, "restate-side.ts"), [String(places.servicePort)], {
    // By default the service logs each run.
    env: { ...process.env, RESTATE_LOGGING: "ERROR" },
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  service.on("message", (message: { readonly waits?: string }) => parked.get(message.waits ?? "")?.());
  await once(service, "message", { signal: AbortSignal.timeout(START_MS_MAX) });
  const server = startServer(places);
  await until("Restate serves", START_MS_MAX, async () => {
    if (server.exitCode !== null) throw new Error(`restate-server ended with ${server.exitCode}`);
    return serves(places);
  });
  return { server, service };
}

function startServer({ directory, ingress, admin, fabric }: Places): ChildProcess {
  const file = peerFile(`@restatedev/restate-server-${process.platform}-${process.arch}/bin/restate-server`);
  return spawn(file, ["--no-logo", "--base-dir", directory, "--listen-mode", "tcp", "--node-name", "bench"], {
    env: {
      ...process.env,
      RUST_LOG: "error",
      RESTATE_INGRESS__BIND_ADDRESS: ingress,
      RESTATE_ADMIN__BIND_ADDRESS: admin,
      RESTATE_BIND_ADDRESS: fabric,
      RESTATE_DISABLE_TELEMETRY: "true",
    },
    stdio: "ignore",
  });
}

/** Whether the ingress answers for runs of all partitions. The runs do not exist, so none of them executes. */
async function serves({ ingress, admin }: Places): Promise<boolean> {
  try {
    await request(`http://${admin}/health`);
    const probe = async (): Promise<boolean> => {
      const response = await fetch(`http://${ingress}/restate/workflow/bench/${crypto.randomUUID()}/output`);
      await response.text();
      return response.status < 500;
    };
    return (await Promise.all(Array.from({ length: PROBES }, probe))).every(Boolean);
  } catch {
    return false;
  }
}

async function register({ admin, servicePort }: Places): Promise<void> {
  const response = await fetch(`http://${admin}/deployments`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ uri: `http://127.0.0.1:${servicePort}` }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`Restate did not accept the service: ${response.status} ${text.slice(0, 300)}`);
}

async function request(url: string, json?: Work, method = json === undefined ? "GET" : "POST"): Promise<string> {
  const body =
    json === undefined ? {} : { headers: { "Content-Type": "application/json" }, body: JSON.stringify(json) };
  const response = await fetch(url, { method, ...body, signal: AbortSignal.timeout(START_MS_MAX) });
  const text = await response.text();
  if (!response.ok) throw new Error(`Restate answered ${response.status}: ${text.slice(0, 300)}`);
  return text;
}

async function ended(processes: Processes | undefined): Promise<void> {
  if (processes === undefined) return;
  // The service first: it would report that it lost the server.
  for (const one of [processes.service, processes.server]) {
    const gone = one.exitCode !== null || one.signalCode !== null || once(one, "exit");
    one.kill("SIGKILL");
    await gone;
  }
}
