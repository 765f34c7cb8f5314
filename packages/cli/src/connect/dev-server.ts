/**
 * The server that `holdfast dev` runs for this folder (CLI8).
 *
 * Owns: finding and reading `.holdfast/dev.json`, which `holdfast dev` writes for its own user while it runs. A file of
 * another user, or of a process that has ended, is ignored.
 */
import { open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

export interface DevServer {
  readonly url: string;
  readonly token: string | undefined;
  readonly file: string;
}

/** Looks in this folder and its parents. */
export async function findDevServer(folder: string): Promise<DevServer | undefined> {
  for (let at = folder; ; at = dirname(at)) {
    const found = await readStarted(join(at, ".holdfast"));
    if (found !== undefined) return found;
    if (dirname(at) === at) return undefined;
  }
}

/** How long a verb waits for a server that starts, ms, and how often it looks. */
const START_MS = 10_000;
const LOOK_MS = 50;

/** Reads where the server is. One that has locked the folder and starts says so in a moment. */
async function readStarted(folder: string): Promise<DevServer | undefined> {
  const file = join(folder, "dev.json");
  for (let waitedMs = 0; ; waitedMs += LOOK_MS) {
    const found = understand(await readOwn(file), file);
    if (found !== undefined || waitedMs >= START_MS || !(await isLocked(folder))) return found;
    await delay(LOOK_MS);
  }
}

/** Whether a process that lives has locked the folder. */
async function isLocked(folder: string): Promise<boolean> {
  const { pid } = ((await readOwn(join(folder, "lock"))) ?? {}) as { readonly pid?: unknown };
  return typeof pid === "number" && isAlive(pid);
}

/** Returns the content of a file of this user. */
async function readOwn(file: string): Promise<unknown> {
  try {
    const opened = await open(file);
    try {
      const { uid } = await opened.stat();
      return uid === process.getuid?.() ? JSON.parse(await opened.readFile("utf8")) : undefined;
    } finally {
      await opened.close();
    }
  } catch {
    return undefined;
  }
}

function understand(value: unknown, file: string): DevServer | undefined {
  const { url, token, pid } = (value ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof url !== "string" || !URL.canParse(url) || !isAlive(pid)) return undefined;
  return { url: url.replace(/\/+$/, ""), token: typeof token === "string" ? token : undefined, file };
}

function isAlive(pid: unknown): boolean {
  if (typeof pid !== "number") return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
