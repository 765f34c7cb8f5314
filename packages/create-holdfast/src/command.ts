/**
 * Creates a project: reads the arguments, asks for what is missing, writes the files, and prints the next three commands.
 *
 * Owns: the order of these, and every text that it prints. It needs no network, except for `--install`.
 */
import { spawnSync } from "node:child_process";
import { type Arguments, readArguments } from "./arguments.ts";
import { type Folder, checkFolder, writeFolder } from "./folder.ts";
import { DESCRIPTIONS } from "./kinds.ts";
import { type Agent, findAgent } from "./agent.ts";
import { OWN, projectFiles } from "./project.ts";
import { type Terminal, askFolder, askKind } from "./questions.ts";
import { Refusal, STATUS } from "./refusal.ts";

const DEFAULT_FOLDER = "my-app";

const HELP = `Usage: npm create holdfast [folder] -- [options]

Creates a project with a durable workflow, an order with an approval, and its test.
In a terminal it asks for what you do not give. In a pipe it asks nothing.

  folder        the new or empty folder; default ${DEFAULT_FOLDER}
  --worker      ${DESCRIPTIONS.worker.hint} (default)
  --node        ${DESCRIPTIONS.node.hint}
  --both        ${DESCRIPTIONS.both.hint}
  -y, --yes     ask nothing
  --install     install the dependencies too
  --no-install  do not install them (default)
  -v, --version print the version
  -h, --help    print this text
`;

/** Who calls the command, and from where. */
export interface Caller {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `undefined`: nobody can be asked. */
  readonly terminal: Terminal | undefined;
  readonly print: (text: string) => void;
  readonly printError: (text: string) => void;
}

/** Returns the exit status. */
export async function main(given: readonly string[], caller: Caller): Promise<number> {
  try {
    return await run(readArguments(given, caller.env), caller);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    caller.printError(`${error.message}\n`);
    return error.status;
  }
}

async function run(given: Arguments, caller: Caller): Promise<number> {
  const { cwd, print } = caller;
  if (given.help || given.version) {
    print(given.help ? HELP : `${OWN.version}\n`);
    return STATUS.done;
  }
  const terminal = given.yes ? undefined : caller.terminal;
  // A folder that was given is checked before the other question is asked.
  const first = given.folder === undefined ? undefined : checkFolder(given.folder, cwd);
  const name = async () => (terminal === undefined ? DEFAULT_FOLDER : askFolder(DEFAULT_FOLDER, cwd, terminal));
  const folder = first ?? checkFolder(await name(), cwd);
  const kind = given.kind ?? (terminal === undefined ? "worker" : await askKind(terminal));
  const agent = findAgent(caller.env["npm_config_user_agent"]);
  writeWhole(folder, projectFiles(folder.name, kind, agent));
  print(`\nCreated ${folder.path}: ${DESCRIPTIONS[kind].hint}.\n`);
  if (given.install) install(folder, agent);
  print(nextCommands(folder, agent, given.install));
  return STATUS.done;
}

const ignore = (): void => {};

/** A signal that arrives meanwhile is ignored: the folder is whole before it could take effect. */
function writeWhole(folder: Folder, files: ReadonlyMap<string, string>): void {
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) process.on(signal, ignore);
  try {
    writeFolder(folder, files);
  } finally {
    for (const signal of signals) process.off(signal, ignore);
  }
}

/** @throws Refusal if the package manager fails. */
function install({ given, path }: Folder, { name }: Agent): void {
  // On Windows the package managers are scripts, which only a shell starts.
  const { status } = spawnSync(name, ["install"], { cwd: path, stdio: "inherit", shell: process.platform === "win32" });
  if (status === 0) return;
  throw new Refusal(`create-holdfast: ${name} install failed. The project is complete: repeat it in "${given}".`);
}

function nextCommands({ given }: Folder, agent: Agent, isInstalled: boolean): string {
  const commands = [
    ...(given === "." ? [] : [`cd ${quoteForShell(given)}`]),
    ...(isInstalled ? [] : [`${agent.name} install`]),
    agent.run("dev"),
    ...(isInstalled || given === "." ? [agent.run("test")] : []),
  ];
  return `\nREADME.md has the tour. Next:\n\n${commands.map((command) => `  ${command}\n`).join("")}`;
}

function quoteForShell(path: string): string {
  return /^[\w./\\:-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`;
}
