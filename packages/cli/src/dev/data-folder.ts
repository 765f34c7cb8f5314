/**
 * The data folder of a local server.
 *
 * Owns: its files, its lock, and the token. `dev.json` has `{ url, token, pid }`, which other verbs read; it also marks the
 * folder as one that `holdfast dev` made. Nothing is written to, and nothing is removed from, another folder.
 *
 * ```
 * .holdfast/  .gitignore  dev.json  lock  steps.env  build/  runs/
 * ```
 */
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type ProcessIdentity, identify, runs } from "../local/process-identity.ts";
import { UsageError } from "../exit.ts";
import { makeFolder } from "../make-folder.ts";

interface Lock extends ProcessIdentity {
  readonly workerd?: ProcessIdentity | undefined;
}

/** The files that a start may have left before the folder had its mark. */
const UNMARKED = /^(?:lock|\.write-)/;

/** What a deployment accepts as a token. */
const TOKEN = /^[\w-]{16,}$/;

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "this user may not write there",
  EPERM: "this user may not write there, or the file system has no owners or links",
  EROFS: "the file system is read-only",
  ENOSPC: "the disk is full",
  EDQUOT: "the disk is full",
  EEXIST: "it is a file",
  ENOTDIR: "a part of the path is a file",
  ENOENT: "a part of the path leads to no folder",
  ENAMETOOLONG: "the path is too long",
};

/** Returns the message for the user about an error of the file system. Other errors are returned unchanged. */
export function unusable(error: unknown, shown: string): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined) return error;
  return new UsageError(
    `The folder ${shown} for the runs cannot be used: ${REASONS[code] ?? messageOf(error)} (${code}). Give another one: --data <folder>`,
  );
}

export class DataFolder {
  readonly path: string;
  /** The path as the user knows it. */
  readonly shown: string;
  readonly token: string;
  #lock: Lock;
  readonly #inode: number;

  /**
   * Opens the folder for this process, and creates it if it does not exist. A workerd that a killed server left is killed.
   * @throws UsageError if another server uses the folder, if it is not a folder of `holdfast dev`, or if it cannot be written.
   */
  static open(path: string, shown: string): DataFolder {
    try {
      return new DataFolder(path, shown);
    } catch (error) {
      throw unusable(error, shown);
    }
  }

  private constructor(path: string, shown: string) {
    this.path = path;
    this.shown = shown;
    makeFolder(path, 0o700);
    const marked = existsSync(join(path, "dev.json"));
    if (!marked && readdirSync(path).some((name) => !UNMARKED.test(name))) {
      throw new UsageError(
        `${shown} has files and was not made by holdfast dev. Give an empty or a new folder: --data <folder>`,
      );
    }
    chmodSync(path, 0o700);
    this.#lock = this.#acquire(shown);
    const { token } = (readJson(join(path, "dev.json")) ?? {}) as { readonly token?: unknown };
    const isUsable = typeof token === "string" && TOKEN.test(token);
    this.token = isUsable ? token : randomBytes(24).toString("hex");
    if (!marked) this.#write("dev.json", JSON.stringify({ token: this.token }));
    writeFileSync(join(path, ".gitignore"), "*\n");
    makeFolder(this.runs);
    rmSync(join(path, "build"), { recursive: true, force: true });
    for (const kind of ["next", "current"]) makeFolder(this.build(kind));
    this.#inode = statSync(path).ino;
  }

  /** Whether the folder is where it was opened. It may be removed or moved meanwhile. */
  get isThere(): boolean {
    return existsSync(this.runs) && statSync(this.path, { throwIfNoEntry: false })?.ino === this.#inode;
  }

  /** @throws UsageError if the folder is not where it was opened. */
  checkThere(): void {
    if (this.isThere) return;
    throw new UsageError(`${this.shown} was removed or moved while the server used it. Start the server again.`);
  }

  get runs(): string {
    return join(this.path, "runs");
  }

  build(kind: string): string {
    return join(this.path, "build", kind);
  }

  /** Stores where this server is, for the other verbs. */
  writeServer(url: string): void {
    this.#write("dev.json", JSON.stringify({ url, token: this.token, pid: process.pid }, null, 2));
  }

  /** Stores which workerd executes the runs, so that the next start kills it if this process cannot. */
  noteWorkerd(pid: number | undefined): void {
    this.#lock = { ...this.#lock, workerd: pid === undefined ? undefined : identify(pid) };
    this.#write("lock", JSON.stringify(this.#lock));
  }

  /** The key with which requests to a step service are signed: a stored one, in a form that `node --env-file` reads. */
  signingKey(): string {
    const file = join(this.path, "steps.env");
    const stored = existsSync(file) ? /^STEP_SIGNING_KEY=(\S+)$/m.exec(readFileSync(file, "utf8"))?.[1] : undefined;
    const key = stored ?? randomBytes(32).toString("hex");
    if (stored === undefined) this.#write("steps.env", `STEP_SIGNING_KEY=${key}\n`);
    return key;
  }

  /** Returns how many runs are stored. */
  countRuns(): number {
    const folder = join(this.runs, "holdfast-runs");
    return existsSync(folder) ? readdirSync(folder).filter((name) => /^[0-9a-f]{64}\.sqlite$/.test(name)).length : 0;
  }

  /** Removes the stored runs. */
  removeRuns(): void {
    rmSync(this.runs, { recursive: true, force: true });
    mkdirSync(this.runs);
  }

  /** Lets other servers use the folder. The token stays. */
  release(): void {
    if (!this.isThere) return;
    rmSync(join(this.path, "lock"), { force: true });
    try {
      this.#write("dev.json", JSON.stringify({ token: this.token }));
    } catch {
      // On a full disk the address stays. The other verbs find nobody there.
    }
  }

  #acquire(shown: string): Lock {
    const file = join(this.path, "lock");
    const self = identify(process.pid) ?? { pid: process.pid, started: "" };
    for (;;) {
      // A link appears with its content, so no other process reads half a lock.
      if (this.#link(file, JSON.stringify(self))) return self;
      const other = readJson(file) as Lock | undefined;
      if (other !== undefined && runs(other)) {
        throw new UsageError(
          `Another holdfast dev (pid ${other.pid}) uses ${shown}. Stop it, or give another folder: --data <folder>`,
        );
      }
      if (other?.workerd !== undefined && runs(other.workerd)) process.kill(other.workerd.pid, "SIGKILL");
      this.#removeStale(file, other);
    }
  }

  /** Removes a lock whose process has ended, unless another process has just replaced it. */
  #removeStale(file: string, stale: Lock | undefined): void {
    const aside = join(this.path, `.write-${randomBytes(4).toString("hex")}`);
    try {
      renameSync(file, aside);
      const moved = readJson(aside) as Lock | undefined;
      if (moved?.pid !== stale?.pid || moved?.started !== stale?.started) linkSync(aside, file);
    } catch {
      // Another process was faster: the next attempt finds its lock.
    }
    rmSync(aside, { force: true });
  }

  #link(file: string, text: string): boolean {
    const aside = join(this.path, `.write-${randomBytes(4).toString("hex")}`);
    writeFileSync(aside, text, { mode: 0o600 });
    try {
      linkSync(aside, file);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
      throw error;
    } finally {
      rmSync(aside, { force: true });
    }
  }

  /** A file is complete or does not exist, and only its owner can read it. */
  #write(name: string, text: string): void {
    const aside = join(this.path, `.write-${randomBytes(4).toString("hex")}`);
    writeFileSync(aside, text, { mode: 0o600 });
    renameSync(aside, join(this.path, name));
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Returns `undefined` if the file does not exist or is no JSON. */
function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}
