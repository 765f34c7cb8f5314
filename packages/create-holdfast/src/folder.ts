/**
 * The folder of a new project: which ones are accepted, and how the files get there.
 *
 * Owns: all or nothing. The files are written into a folder beside the target, which is then renamed; nothing yields to the
 * event loop in between, so a signal is handled before or after it. A failure removes what was made.
 */
import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, rmdirSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { Refusal } from "./refusal.ts";

export interface Folder {
  /** As it was given, without slashes at the end. */
  readonly given: string;
  readonly path: string;
  /** The name of the project. */
  readonly name: string;
}

/** The longest name of a Worker that has an address on workers.dev, characters. */
const NAME_CHARS_MAX = 54;
const FALLBACK = "my-app";
/** Prefix of the folder in which the files are written first. */
const STAGE = ".create-holdfast-";

/** @throws Refusal if the name is unusable, or the folder is a file or not empty. */
export function checkFolder(given: string, cwd: string): Folder {
  const folder = nameFolder(given, cwd);
  const problem = problemOf(folder.path);
  if (problem !== undefined) throw new Refusal(`create-holdfast: ${quote(folder.given)} ${problem}`);
  return folder;
}

function nameFolder(given: string, cwd: string): Folder {
  const short = given.replace(/(?<=[^/\\])[/\\]+$/, "");
  const path = resolve(cwd, short);
  // The name of a folder that exists is not for the command to choose.
  if (short === ".") return { given: short, path, name: slug(basename(path)) };
  const name = basename(short);
  if (short.split(/[/\\]/).includes(".."))
    throw new Refusal(`create-holdfast: ${quote(short)} leads out of this folder. Go there first, then give a name.`);
  if (name !== slug(name) || name === "node_modules")
    throw new Refusal(
      `create-holdfast: ${quote(name)} cannot name a project: use up to ${NAME_CHARS_MAX} lowercase letters, digits and hyphens, such as "${slug(name)}".`,
    );
  return { given: short, path, name };
}

/** Returns a name that npm and Cloudflare accept: letters, digits and single hyphens. */
function slug(text: string): string {
  const plain = text.normalize("NFKD").toLowerCase().replaceAll(/\p{M}/gu, "");
  const name = (plain.match(/[a-z0-9]+/g) ?? []).join("-").slice(0, NAME_CHARS_MAX).replace(/-$/, "");
  return name === "" || name === "node-modules" ? FALLBACK : name;
}

/** A text in one line, whatever it contains. */
function quote(text: string): string {
  return JSON.stringify(text);
}

function problemOf(path: string): string | undefined {
  try {
    if (!existsSync(path)) return undefined;
    if (!statSync(path).isDirectory()) return "is a file. Choose another name.";
    const isEmpty = readdirSync(path).every((name) => name === ".git");
    return isEmpty ? undefined : "is not empty. Choose another name, or empty the folder.";
  } catch (error) {
    return `cannot be read (${codeOf(error)}).`;
  }
}

/**
 * Writes the files, by their paths in the folder.
 * @throws Refusal if they cannot be written. Nothing is left then.
 */
export function writeFolder({ given, path }: Folder, files: ReadonlyMap<string, string>): void {
  const isNew = !existsSync(path);
  const parent = isNew ? dirname(path) : path;
  const missing = missingFolders(parent);
  const stage = join(parent, `${STAGE}${randomUUID()}`);
  try {
    // One at a time: where a folder cannot be made although its parent exists, such as in /proc, `recursive` never ends.
    for (const folder of [...missing.toReversed(), stage]) mkdirSync(folder);
    for (const [file, text] of files) {
      mkdirSync(dirname(join(stage, file)), { recursive: true });
      writeFileSync(join(stage, file), text);
    }
    if (isNew) renameSync(stage, path);
    else moveInto(path, stage);
  } catch (error) {
    rmSync(stage, { recursive: true, force: true });
    for (const folder of missing) removeIfEmpty(folder);
    throw new Refusal(`create-holdfast: ${quote(given)} cannot be written: ${reason(codeOf(error))}.`);
  }
}

/** Returns the folders of a path that do not exist, the deepest first. */
function missingFolders(path: string): readonly string[] {
  return existsSync(path) || path === dirname(path) ? [] : [path, ...missingFolders(dirname(path))];
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // It was not made, or another process uses it.
  }
}

function moveInto(path: string, stage: string): void {
  const moved: string[] = [];
  try {
    for (const name of readdirSync(stage)) {
      renameSync(join(stage, name), join(path, name));
      moved.push(name);
    }
    rmSync(stage, { recursive: true });
  } catch (error) {
    for (const name of moved) rmSync(join(path, name), { recursive: true, force: true });
    throw error;
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "you may not write there",
  EPERM: "you may not write there",
  EROFS: "the file system is read-only",
  ENOSPC: "the disk is full",
  EDQUOT: "the disk is full",
  EEXIST: "a part of the path is a file, or a link to nothing",
  ENOENT: "a part of the path leads to no folder",
  ENOTDIR: "a part of the path is a file",
  ENOTEMPTY: "another process has just filled the folder",
  ENAMETOOLONG: "the path is too long",
};

function reason(code: string): string {
  const text = REASONS[code];
  return text === undefined ? code : `${text} (${code})`;
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}
