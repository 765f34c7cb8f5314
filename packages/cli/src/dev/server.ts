/**
 * One local server: from its options to its end.
 *
 * Owns: the order of start and stop, and what the server says about itself.
 */
import { relative, resolve } from "node:path";
import { bannerText } from "./banner.ts";
import { type Build, keepBuilding, ownClasses } from "./builder.ts";
import { watchClock } from "./clock-jumps.ts";
import { configurationText } from "./configuration.ts";
import { runPagePath } from "./dashboard.ts";
import { DataFolder } from "./data-folder.ts";
import { Gateway } from "./gateway.ts";
import { LocalApi } from "./local-api.ts";
import { loadPeers } from "./peers.ts";
import { listen } from "./port.ts";
import { Printer } from "./printer.ts";
import { UsageError } from "../exit.ts";
import type { Io } from "../io.ts";
import { type Project, compatibilityDateOf, findEntry, readProject, unusedConfiguration } from "./project.ts";
import { Repeats, readWorkerdLine } from "./run-lines.ts";
import { type Locate, locator, ownFrames, quoteSource } from "./source-positions.ts";
import { type StepService, stepServiceAt, watchStepService } from "./step-service.ts";
import { listenForStop } from "./stop-signals.ts";
import { Supervisor } from "./supervisor.ts";
import { variablesOf } from "./variables.ts";

export interface DevOptions {
  readonly entry?: string | undefined;
  /** The URL of a service that executes the steps, in place of `entry`. */
  readonly steps?: string | undefined;
  readonly port?: number | undefined;
  readonly data: string;
  /** Whether `/ui` is the dashboard. Otherwise workerd answers it. */
  readonly dashboard: boolean;
  readonly reset?: boolean | undefined;
  readonly io: Io;
  readonly colourOff: boolean;
  readonly ndjson: boolean;
  /** Returns whether stored runs may be removed. */
  ask(question: string): Promise<boolean>;
}

/** How often the data folder is looked for, ms. */
const FOLDER_EVERY_MS = 1_000;

/** Serves until a signal ends it. @throws UsageError if it cannot start. */
export async function serveDev(options: DevOptions): Promise<void> {
  const { cwd: current } = options.io;
  const target = targetOf(current, options);
  const data = DataFolder.open(resolve(current, options.data), options.data);
  const gateway = new Gateway(options);
  try {
    // The folder is locked: a verb that comes now waits for the address.
    const peers = await loadPeers(current);
    if (options.reset === true) await reset(data, options);
    const port = await listen(gateway.server, options.port);
    // Without the port 80, which no origin has.
    const url = new URL(`http://127.0.0.1:${port}`).origin;
    data.writeServer(url);
    await new DevServer({
      ...options,
      current,
      ...target,
      peers,
      data,
      gateway,
      port,
      url,
      portGiven: options.port !== undefined,
    }).run();
  } finally {
    gateway.close();
    data.release();
  }
}

interface Target {
  readonly entry: string | undefined;
  readonly steps: { readonly url: string } | undefined;
}

function targetOf(current: string, { entry, steps }: DevOptions): Target {
  if (steps === undefined) return { entry: findEntry(current, entry), steps: undefined };
  if (entry !== undefined) throw new UsageError("Give either an entry or --steps: the service has the workflows.");
  const url = URL.canParse(steps) ? new URL(steps) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new UsageError(
      `--steps ${steps} is no http or https URL. Give the address of the step handler, such as http://127.0.0.1:3000/holdfast`,
    );
  }
  return { entry: undefined, steps: { url: steps } };
}

async function reset(data: DataFolder, options: DevOptions): Promise<void> {
  const count = data.countRuns();
  const question = `Remove ${count} stored ${count === 1 ? "run" : "runs"} from ${options.data}?`;
  if (count > 0 && !(await options.ask(question))) {
    throw new UsageError("Nothing was removed. To remove the stored runs without a question: --reset --yes");
  }
  data.removeRuns();
}

interface ServerParts extends Target, Pick<DevOptions, "io" | "colourOff" | "ndjson" | "dashboard"> {
  readonly current: string;
  readonly peers: Awaited<ReturnType<typeof loadPeers>>;
  readonly data: DataFolder;
  readonly gateway: Gateway;
  readonly port: number;
  /** The origin of the server. */
  readonly url: string;
  readonly portGiven: boolean;
}

class DevServer {
  readonly #parts: ServerParts;
  #locate: Locate = (text) => text;
  readonly #printer: Printer;
  readonly #supervisor: Supervisor;
  readonly #repeats = new Repeats();
  readonly #ended = new AbortController();
  #service: StepService | undefined;
  #started = false;
  /** The newest code cannot be served. */
  #broken = false;

  constructor(parts: ServerParts) {
    this.#parts = parts;
    this.#printer = new Printer({
      ...parts,
      locate: (text) => this.#locate(text),
      pageOf: (runId) => (parts.dashboard ? parts.url + runPagePath(runId) : undefined),
    });
    this.#supervisor = new Supervisor({
      executable: parts.peers.workerd,
      gateway: parts.gateway,
      folder: (kind) => {
        parts.data.checkThere();
        return parts.data.build(kind);
      },
      configure: (build, stores) => this.#configure(build, stores),
      events: {
        serves: (build, workerd, changedMs) => this.#serves(build, workerd, changedMs),
        unchanged: () => this.#unchanged(),
        rejected: (build, { stderr }) => this.#rejected(build, stderr),
        died: ({ code, signal, stderr }, retryMs) => this.#died(signal ?? `exit code ${code}`, stderr, retryMs),
        line: (line) => this.#line(line),
      },
    });
  }

  /** @throws UsageError */
  async run(): Promise<void> {
    const { steps: given } = this.#parts;
    if (given !== undefined) {
      const { key } = this.#signingKey(readProject(this.#parts.current, this.#parts.current));
      this.#service = stepServiceAt(given.url, key);
    }
    this.#parts.io.endsByItself?.();
    const endListening = listenForStop(this.#parts.io, {
      stop: () => this.#stop(),
      exit: () => this.#supervisor.killAll(),
    });
    const { peers, current, entry } = this.#parts;
    const options = { current, entry, colors: this.#printer.colours };
    const events = {
      built: (build: Build) => this.#supervisor.offer(build),
      failed: (text: string) => this.#failed(text),
      restarts: () => this.#printer.note("esbuild ended by itself; it starts again.", "warning"),
    };
    const endBuild = await keepBuilding(peers.esbuild, options, events, this.#ended.signal);
    await this.#runOn(this.#parts.data);
    await endBuild();
    endListening();
  }

  /** @throws UsageError if the data folder is removed or moved meanwhile. */
  async #runOn(data: DataFolder): Promise<void> {
    const timer = setInterval(() => data.isThere || this.#end(), FOLDER_EVERY_MS);
    const endClock = watchClock((ms) => this.#jumped(ms));
    try {
      await this.#supervisor.run();
      data.checkThere();
    } catch (error) {
      data.checkThere();
      throw error;
    } finally {
      clearInterval(timer);
      endClock();
    }
  }

  /** workerd would start what is due now later by as much. */
  #jumped(ms: number): void {
    this.#printer.note(`The clock jumped ahead by ${Math.round(ms / 1_000)} s. workerd starts again.`, "warning");
    this.#supervisor.restart();
  }

  #stop(): void {
    this.#printer.note("Stopping. Runs continue at the next start.", "dim");
    this.#end();
  }

  #end(): void {
    this.#ended.abort();
    void this.#supervisor.stop();
  }

  #configure({ project }: Build, stores: boolean): string {
    const { data, steps, peers } = this.#parts;
    return configurationText({
      data: stores ? data.runs : undefined,
      compatibilityDate: compatibilityDateOf(project, peers.compatibilityDate),
      compatibilityFlags: project.wrangler.compatibility_flags ?? [],
      variables: {
        ...variablesOf(project, { url: this.#parts.url, token: data.token }),
        ...(steps === undefined ? {} : { STEPS_URL: steps.url, STEP_SIGNING_KEY: this.#signingKey(project).key }),
      },
      classes: ownClasses(project.wrangler),
    });
  }

  /** A key of the user's own counts more than the stored one. */
  #signingKey({ variables }: Project): { readonly key: string; readonly isOwn: boolean } {
    const own = this.#parts.io.env["STEP_SIGNING_KEY"] ?? variables["STEP_SIGNING_KEY"];
    return own === undefined ? { key: this.#parts.data.signingKey(), isOwn: false } : { key: own, isOwn: true };
  }

  #serves(build: Build, { pid, port }: { readonly pid: number; readonly port: number }, changedMs?: number): void {
    const { data } = this.#parts;
    const api = new LocalApi(`http://127.0.0.1:${port}`, data.token);
    this.#broken = false;
    this.#locate = locator(build.sourceMap);
    data.noteWorkerd(pid);
    void api.continueInterrupted();
    if (!this.#started) return void this.#begin(build, api);
    const what = changedMs === undefined ? "workerd serves again." : `Serves the new code after ${changedMs} ms.`;
    this.#printer.note(what, "good");
  }

  async #begin({ project }: Build, api: LocalApi): Promise<void> {
    this.#started = true;
    const { current, entry, data, steps, port, portGiven } = this.#parts;
    const { key, isOwn } = steps === undefined ? { key: "", isOwn: true } : this.#signingKey(project);
    const text = bannerText({
      serves: steps?.url ?? relative(current, entry ?? ""),
      url: this.#parts.url,
      dashboard: this.#parts.dashboard ? `${this.#parts.url}/ui/` : undefined,
      token: data.token,
      folder: data.shown,
      port,
      portGiven,
      workflows: steps === undefined ? await api.workflows() : [],
      unused: unusedConfiguration(project, this.#parts.peers.compatibilityDate),
      signingKey: isOwn ? undefined : key,
    });
    this.#printer.note(text);
    this.#printer.note("Ready. Ctrl-C stops it.", "good");
    if (this.#service !== undefined) this.#watchSteps(this.#service);
  }

  #failed(text: string): void {
    this.#printer.raw(text);
    this.#nowBroken(text);
  }

  /** The code builds and does not start: it throws when it is imported, or there is nothing to serve. */
  #rejected(build: Build, stderr: readonly string[]): void {
    const text = ownFrames(locator(build.sourceMap)(startFailure(stderr)));
    const { current } = this.#parts;
    const source = quoteSource(text, current);
    this.#printer.note(source === undefined ? text : `${text}\n\n${source}`);
    this.#nowBroken(text);
  }

  /** After a correction that changes nothing, such as the return to the old code. */
  #unchanged(): void {
    if (this.#broken) this.#printer.note("Corrected: this is the code that serves.", "good");
    this.#broken = false;
  }

  #nowBroken(text: string): void {
    this.#broken = true;
    if (this.#started) {
      this.#printer.note("The code that served before still serves. Save a correction.", "warning");
      return;
    }
    this.#parts.gateway.refuse(`The entry cannot be served: ${text}`);
    this.#printer.note("Nothing is served. Save a correction to start.", "warning");
  }

  #died(how: string, stderr: readonly string[], retryMs: number): void {
    const reason = this.#locate(startFailure(stderr));
    const when = retryMs === 0 ? "now" : `in ${retryMs} ms`;
    this.#printer.note(
      `workerd ended by itself (${how}); it starts again ${when}.${reason && `\n${reason}`}`,
      "warning",
    );
  }

  #line(written: string): void {
    const line = readWorkerdLine(written);
    if (line !== undefined && this.#repeats.isNew(line)) this.#printer.line(line);
  }

  #watchSteps(service: StepService): void {
    const say = (text: string, tone: "good" | "warning"): void => this.#printer.note(text, tone);
    const events = {
      up: (ids: readonly string[]) =>
        say(`The service at ${this.#parts.steps?.url} answers. It serves: ${ids.join(", ") || "no workflow"}.`, "good"),
      down: (reason: string) => say(`The service does not serve steps: ${reason} Runs wait for it.`, "warning"),
    };
    void watchStepService(service, events, this.#ended.signal);
  }
}

/** The messages in the log lines of workerd, without what follows from them. */
function startFailure(stderr: readonly string[]): string {
  const messages = stderr.map((line) => {
    try {
      const { message, level } = JSON.parse(line) as { readonly message?: string; readonly level?: string };
      return level === "warn" ? "" : (message ?? line);
    } catch {
      return line;
    }
  });
  return messages
    .filter((message) => message !== "")
    .join("\n")
    .replace(/^service holdfast: (?:Uncaught )?(?:Error: )?/, "")
    .replace(/No such module "node:.*/, `$&\n${NEEDS_NODE}`);
}

const NEEDS_NODE =
  'Modules of Node need "compatibility_flags": ["nodejs_compat"] in wrangler.jsonc, or a compatibility_date from 2026-10-01 on.';
