/**
 * Follows a page with a program: writes its files into a new project, and types its commands there.
 *
 * Owns: the project, which has the packages of this repository in place of installed ones, and the commands `npx holdfast` and
 * `npx wrangler`. The port 8787 of the page is replaced by a free one. A command that reads is repeated until it prints what
 * the page shows (`run-page.ts`).
 */
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { findFreePort } from "@holdfast/cli/free-port";
import { type Server, launch } from "../packed/processes.ts";
import { isFollowed } from "../packed/readme.ts";
import { REPOSITORY, readFiles } from "../source-files.ts";
import { type Act, type CommandAct, readActs } from "./acts.ts";
import { typeCommand } from "./run-page.ts";
import { Shell } from "./shell.ts";

/** Where the packages of a project are in this repository. */
const PACKAGES: Readonly<Record<string, string>> = {
  "@cloudflare/workers-types": "node_modules/@cloudflare/workers-types",
  "@hono/node-server": "examples/node-steps/node_modules/@hono/node-server",
  "@holdfast/orchestrator-cloudflare": "packages/orchestrator-cloudflare",
  "@holdfast/workflows": "packages/workflows",
  "@types/node": "node_modules/@types/node",
  esbuild: "packages/cli/node_modules/esbuild",
  hono: "examples/node-steps/node_modules/hono",
  workerd: "packages/cli/node_modules/workerd",
  zod: "packages/proof/node_modules/zod",
};

/** The scripts of the commands of a project. */
const COMMANDS: Readonly<Record<string, string>> = {
  holdfast: `exec "${process.execPath}" "${join(REPOSITORY, "packages/cli/src/bin.ts")}" "$@"`,
  wrangler: `exec "${join(REPOSITORY, "node_modules/.bin/wrangler")}" "$@"`,
  npx: 'name=$1; shift; exec "$(dirname "$0")/$name" "$@"',
};

/** The how-to pages that have a program. Some more are followed with packages that are installed (`checks/packed`). */
export const PROGRAMS: readonly string[] = readFiles("docs/how-to/*.md")
  .map(({ path }) => path)
  .filter((path) => !isFollowed(path) && readProgram(path).some(({ kind }) => kind === "file"));

function readProgram(page: string): readonly Act[] {
  return readActs(readFileSync(join(REPOSITORY, page), "utf8"));
}

/**
 * Does what a page says, in order, and then `further` with the address of the server. Returns a text for each command that does
 * not do what the page shows.
 */
export async function followProgram(page: string, further?: Further): Promise<readonly string[]> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "holdfast-program-")));
  linkPackages(folder);
  writeFile(join(folder, "package.json"), '{ "type": "module" }\n');
  const env = { ...process.env, ...environmentOf(folder), XDG_CONFIG_HOME: join(folder, ".settings") };
  const program = { folder, env, port: String(await findFreePort()), shell: new Shell(folder, env), servers: [] };
  const failures: string[] = [];
  try {
    for (const act of readProgram(page)) {
      if (act.kind === "file") writeFile(join(folder, act.path), act.text.replaceAll("8787", program.port));
      else if (act.kind !== "see")
        failures.push(...(await typeOne(program, act)).map((wrong) => `${page}: ${act.command}\n  ${wrong}`));
    }
    await further?.(`http://127.0.0.1:${program.port}`);
  } finally {
    await program.shell.close();
    await endServers(program);
    rmSync(folder, { recursive: true, force: true });
  }
  return failures;
}

export type Further = (url: string) => Promise<void>;

interface Program {
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  readonly port: string;
  readonly shell: Shell;
  readonly servers: Server[];
}

async function typeOne(program: Program, { kind, command, answer }: CommandAct): Promise<readonly string[]> {
  const text = command.replaceAll("8787", program.port);
  // The project has the packages of this repository.
  if (command.startsWith("npm install ")) return [];
  if (kind === "run") return typeCommand(program.shell, { text, ...(answer && { answer }) });
  if (kind === "again") await program.servers.pop()?.interrupt();
  const inspector = /\bwrangler dev\b/u.test(text) ? ` --inspector-port ${await findFreePort()}` : "";
  const words = ["sh", "-c", `exec ${text} --port ${program.port}${inspector}`];
  program.servers.push(await launch(words, { cwd: program.folder, env: program.env }));
  return [];
}

async function endServers({ servers }: Program): Promise<void> {
  for (const server of servers.splice(0).toReversed()) await server.interrupt();
}

function linkPackages(folder: string): void {
  for (const [name, path] of Object.entries(PACKAGES)) {
    const link = join(folder, "node_modules", name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(realpathSync(join(REPOSITORY, path)), link);
  }
}

/** The variables of a terminal, in which `npx` finds the commands of this repository. */
function environmentOf(folder: string): Readonly<Record<string, string>> {
  const bin = join(folder, "node_modules/.bin");
  for (const [name, command] of Object.entries(COMMANDS)) {
    writeFile(join(bin, name), `#!/bin/sh\n${command}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  return {
    PATH: `${bin}:${dirname(process.execPath)}:${process.env["PATH"] ?? ""}`,
    CI: "1",
    CLOUDFLARE_CF_FETCH_ENABLED: "false",
    WRANGLER_SEND_METRICS: "false",
  };
}

function writeFile(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
