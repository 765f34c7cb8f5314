/**
 * Calls the command in the process of the test, with streams and folders of the test.
 *
 * Owns: the fake terminal, and the empty home of each call.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { runCommand } from "../src/command.ts";
import type { Io, Sink } from "../src/io.ts";

export interface World {
  /** The width of the terminal. Without it, stdout is a pipe. */
  readonly columns?: number;
  /** Whether people can be asked. */
  readonly isTTY?: boolean;
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly home?: string;
  readonly cwd?: string;
  readonly now?: number;
  readonly signal?: AbortSignal;
  /** Opens pages in place of a browser. */
  readonly openPage?: Io["openPage"];
}

export interface Called {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The time of the fake API's runs. */
export const NOW: number = Date.UTC(2026, 0, 31, 12, 0, 0);

export function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-cli-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }));
  return folder;
}

export async function call(args: readonly string[], world: World = {}): Promise<Called> {
  const written = { stdout: "", stderr: "" };
  const sink = (name: "stdout" | "stderr"): Sink => ({
    isTTY: world.columns !== undefined,
    columns: world.columns,
    write(text) {
      written[name] += text;
      return true;
    },
    once: () => {},
  });
  const home = world.home ?? emptyFolder();
  const io: Io = {
    stdin: Object.assign(linesOf(world.stdin ?? ""), { isTTY: world.isTTY ?? false }),
    stdout: sink("stdout"),
    stderr: sink("stderr"),
    env: { NO_COLOR: "1", ...world.env },
    cwd: world.cwd ?? home,
    home,
    signal: world.signal ?? new AbortController().signal,
    now: () => world.now ?? NOW,
    openPage: world.openPage ?? (async () => false),
  };
  return { exit: await runCommand(args, io), ...written };
}

async function* linesOf(text: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(text);
}
