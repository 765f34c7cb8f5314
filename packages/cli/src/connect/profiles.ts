/**
 * The file of profiles: `$XDG_CONFIG_HOME/holdfast/config.json`, by default `~/.config/holdfast/config.json` (CLI8).
 *
 * Owns: the shape of the file, its mode 0600, and its atomic replacement. A file that others can read is closed to them, with
 * a warning: it may hold tokens. Messages never quote its content.
 */
import { chmod, open, readFile, realpath, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { UsageError } from "../exit.ts";
import type { Io } from "../io.ts";
import { makeFolder } from "../make-folder.ts";

export interface Profile {
  readonly url: string;
  /** A command that prints the token, such as `op read op://vault/holdfast/token`. */
  readonly tokenCommand?: string;
  readonly token?: string;
  /** Destructive verbs ask to type the profile's name. */
  readonly protected?: true;
}

export interface Profiles {
  /** The profile to use if none is named. */
  readonly current?: string;
  readonly profiles: Readonly<Record<string, Profile>>;
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const FIELDS: ReadonlySet<string> = new Set(["url", "tokenCommand", "token", "protected"]);

export function profilesPath({ env, home }: Pick<Io, "env" | "home">): string {
  const { XDG_CONFIG_HOME: base } = env;
  // The specification of XDG ignores a relative path.
  return join(base?.startsWith("/") ? base : join(home, ".config"), "holdfast", "config.json");
}

export function checkProfileName(name: string): string {
  if (NAME.test(name)) return name;
  throw new UsageError(
    `${JSON.stringify(name)} is not a name of a profile: use up to 64 letters, digits, dots, dashes and underscores.`,
  );
}

/** Checks a URL of the API. It must not hold credentials. */
export function checkUrl(text: string, where: string): string {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new UsageError(`${where} must be the URL of the API, such as https://flows.example.`);
  if (url.username !== "" || url.password !== "")
    throw new UsageError(`${where} must not have a user name or a password. Give a token: see holdfast login --help.`);
  // Paths are added to it.
  if (/[?#]/.test(text)) throw new UsageError(`${where} must not have a query or a fragment: no ? and no #.`);
  return text.trim().replace(/\/+$/, "");
}

/**
 * Reads the file. Without a file there are no profiles.
 * @param warn Is called if the file was readable by others.
 * @throws UsageError if the file cannot be used
 */
export async function readProfiles(path: string, warn: (message: string) => void): Promise<Profiles> {
  let text: string;
  try {
    await closeToOthers(path, warn);
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { profiles: {} };
    throw new UsageError(`${path} cannot be read: ${(error as Error).message}`);
  }
  return parse(text, path);
}

async function closeToOthers(path: string, warn: (message: string) => void): Promise<void> {
  const entry = await stat(path);
  if ((entry.mode & 0o077) === 0 || !entry.isFile()) return;
  try {
    await chmod(path, 0o600);
    warn(`Other users could read ${path}. Its mode is 0600 now; replace its tokens.`);
  } catch {
    // A volume that cannot be written, or the file of another user, still has a configuration.
    warn(`Other users can read ${path}, and its mode cannot be changed. Keep tokens elsewhere: use tokenCommand.`);
  }
}

function parse(text: string, path: string): Profiles {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's message quotes the file, which may hold tokens.
    throw new UsageError(`${path} is not JSON. Fix it, or remove it and run holdfast login.`);
  }
  const { current, profiles = {} } = (value ?? {}) as { readonly current?: unknown; readonly profiles?: unknown };
  if (!isObject(value) || !isObject(profiles) || !(current === undefined || typeof current === "string"))
    throw new UsageError(`${path} must be { "current": "…", "profiles": { "…": { "url": "…" } } }.`);
  // A name such as __proto__ must not reach a prototype.
  const read: Record<string, Profile> = Object.create(null) as Record<string, Profile>;
  for (const [name, profile] of Object.entries(profiles))
    read[checkProfileName(name)] = checkProfile(name, profile, path);
  return { ...(current === undefined ? {} : { current }), profiles: read };
}

function checkProfile(name: string, profile: unknown, path: string): Profile {
  const where = `${path}: the profile ${name}`;
  if (!isObject(profile)) throw new UsageError(`${where} must be an object with "url".`);
  const { url, tokenCommand, token, protected: isProtected } = profile;
  const unknown = Object.keys(profile).find((field) => !FIELDS.has(field));
  if (unknown !== undefined)
    throw new UsageError(
      `${where} has the unknown field ${JSON.stringify(unknown)}. It may have: ${[...FIELDS].join(", ")}.`,
    );
  if (typeof url !== "string") throw new UsageError(`${where} has no "url".`);
  for (const [field, text] of Object.entries({ tokenCommand, token }))
    if (text !== undefined && (typeof text !== "string" || text === ""))
      throw new UsageError(`${where}: "${field}" must be text.`);
  if (isProtected !== undefined && typeof isProtected !== "boolean")
    throw new UsageError(`${where}: "protected" must be true or false.`);
  return {
    url: checkUrl(url, `${where}: "url"`),
    ...(typeof tokenCommand === "string" ? { tokenCommand } : {}),
    ...(typeof token === "string" ? { token } : {}),
    ...(isProtected === true ? { protected: true } : {}),
  };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Replaces the file, or the one to which a symbolic link points. A crash in between leaves the old file. */
export async function writeProfiles(link: string, profiles: Profiles): Promise<void> {
  const path = await realpath(link).catch(() => link);
  const unfinished = `${path}.${process.pid}`;
  makeFolder(dirname(path), 0o700);
  try {
    await rm(unfinished, { force: true });
    const file = await open(unfinished, "wx", 0o600);
    try {
      await file.writeFile(`${JSON.stringify(profiles, undefined, 2)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(unfinished, path);
  } finally {
    await rm(unfinished, { force: true });
  }
}
