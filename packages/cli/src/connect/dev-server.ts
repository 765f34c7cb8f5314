/**
 * The server that `holdfast dev` runs for this folder (CLI8).
 *
 * Owns: finding and reading `.holdfast/dev.json`, which `holdfast dev` writes for its own user while it runs. A file of
 * another user, or of a process that has ended, is ignored.
 */
import { open } from "node:fs/promises";
import { dirname, join } from "node:path";

export interface DevServer {
  readonly url: string;
  readonly token: string | undefined;
  readonly file: string;
}

/** Looks in this folder and its parents. */
export async function findDevServer(folder: string): Promise<DevServer | undefined> {
  for (let at = folder; ; at = dirname(at)) {
    const found = await read(join(at, ".holdfast", "dev.json"));
    if (found !== undefined) return found;
    if (dirname(at) === at) return undefined;
  }
}

async function read(file: string): Promise<DevServer | undefined> {
  try {
    const opened = await open(file);
    try {
      const { uid } = await opened.stat();
      if (uid !== process.getuid?.()) return undefined;
      return understand(JSON.parse(await opened.readFile("utf8")), file);
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
