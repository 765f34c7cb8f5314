/** Runs the command without a terminal: in the process of the test, or in one of its own. */
import { spawnSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { main } from "../src/command.ts";

export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export const PACKAGE: string = join(import.meta.dirname, "..");

interface Options {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** A module that is executed first, in the process of the command. */
  readonly first?: string;
}

export async function callCommand(args: readonly string[], { cwd, env = {} }: Options): Promise<Ran> {
  const printed = { stdout: "", stderr: "" };
  const status = await main(args, {
    cwd,
    env,
    terminal: undefined,
    print: (text) => (printed.stdout += text),
    printError: (text) => (printed.stderr += text),
  });
  return { status, ...printed };
}

export function runCommand(
  args: readonly string[],
  { cwd, env = {}, first = "" }: Options,
): Ran & { readonly signal: string | null } {
  const clean = Object.entries(process.env).filter(([name]) => !name.startsWith("npm_"));
  const { status, signal, stdout, stderr } = spawnSync(
    process.execPath,
    ["--import", `data:text/javascript,${encodeURIComponent(first)}`, join(PACKAGE, "src/main.ts"), ...args],
    { cwd, encoding: "utf8", env: { ...Object.fromEntries(clean), ...env }, input: "y\n" },
  );
  return { status, signal, stdout, stderr };
}

/** Creates an empty folder. Its path has a blank and a letter outside ASCII, as paths of people do. */
export function emptyFolder(): string {
  return mkdtempSync(join(tmpdir(), "Ada's Bücher "));
}
