/**
 * JSON that a person gives: in the command line, from a file (`@file`), from stdin (`-`) (CLI4).
 *
 * Owns: reading it, and the place of an error in it. The content is not quoted: it may be large or secret.
 */
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { UsageError } from "../exit.ts";
import type { Io } from "../io.ts";
import { findJsonError } from "./json-error.ts";

/** The API takes no larger body. */
const BYTES_MAX = 64 * 1024 * 1024;

/**
 * @param option The option's name, for errors.
 * @throws UsageError naming the line and column of what is not JSON
 */
export async function readInput(io: Io, given: string | undefined, option = "--input"): Promise<unknown> {
  if (given === undefined) return undefined;
  const where = given === "-" ? "stdin" : given.startsWith("@") ? given.slice(1) : option;
  const text = await readText(io, given, option);
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError(`${where}: ${describe(text)}`);
  }
}

async function readText(io: Io, given: string, option: string): Promise<string> {
  if (given === "-") return readAll(io, option);
  if (!given.startsWith("@")) return given;
  const path = given.slice(1);
  if (path === "") throw new UsageError(`${option}: a file name must follow @.`);
  try {
    return decode(await readFile(resolve(io.cwd, path)), path);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${option}: ${path} cannot be read: ${(error as NodeJS.ErrnoException).code ?? "unknown"}.`);
  }
}

/** Reads stdin to its end. */
export async function readAll(io: Io, option: string): Promise<string> {
  if (io.stdin.isTTY === true) io.stderr.write(`Reading ${option} from the terminal. Ctrl-D ends it.\n`);
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of io.stdin) {
    const buffer = Buffer.from(part as Uint8Array);
    bytes += buffer.length;
    if (bytes > BYTES_MAX) throw new UsageError(`${option}: stdin has more than ${BYTES_MAX} bytes.`);
    parts.push(buffer);
  }
  io.signal.throwIfAborted();
  return decode(Buffer.concat(parts), "stdin");
}

function decode(bytes: Uint8Array, where: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new UsageError(`${where} is not text in UTF-8.`);
  }
}

function describe(text: string): string {
  if (text.trim() === "") return "there is no JSON: it is empty.";
  const at = findJsonError(text);
  const before = text.slice(0, at).split("\n");
  const column = (before.at(-1) ?? "").length + 1;
  const what = at >= text.trimEnd().length ? "it ends too early" : `unexpected ${nameOf(text, at)}`;
  const hint = at === 0 && /^[A-Za-z]/.test(text) ? " Text needs quotes: '\"like this\"'." : "";
  return `not JSON at line ${before.length}, column ${column}: ${what}.${hint}`;
}

function nameOf(text: string, at: number): string {
  const [char = ""] = text.slice(at, at + 2);
  return char === "\n" ? "line break" : JSON.stringify(char);
}

/** Reads a file (`-`: stdin) that has JSON objects, one or one a line. */
export async function readLines(io: Io, file: string): Promise<readonly unknown[]> {
  const text = await readText(io, file === "-" ? "-" : `@${file}`, "the file");
  const values: unknown[] = [];
  try {
    return [JSON.parse(text)];
  } catch {
    // Several lines.
  }
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    try {
      values.push(JSON.parse(line));
    } catch {
      throw new UsageError(`${file}: line ${index + 1}: ${describe(line)}`);
    }
  }
  return values;
}
