/**
 * Command lines to copy, for a POSIX shell.
 *
 * Owns: the quoting. Texts of runs are hostile: whatever a name holds, a pasted line has it as one argument. Characters that
 * a terminal acts on, or that nobody sees, are never in a line: JSON has them as `\u` escapes, arguments as octal bytes.
 * The token is the variable `$TOKEN`, and never its value.
 */
import type { ApiRequest } from "./request.ts";

/** Escapes of these keep a line readable and harmless where it is pasted. A line feed in quotes is harmless. */
// oxlint-disable-next-line no-control-regex -- These are the characters to replace.
const UNSEEN = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/;
const PLAIN = /^[\w@%+=:,./-]+$/;
/** A longer text goes to stdin: systems limit the length of an argument, mostly to 128 KiB. */
const ARGUMENT_BYTES_MAX = 100_000;
const END = "END";

/** A command with its arguments. Text for stdin takes the place of an argument `-`, or of `@-`. */
export interface Command {
  readonly args: readonly string[];
  readonly stdin?: string | undefined;
}

/** Returns the value as JSON in one line, without characters that nobody sees. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value).replaceAll(new RegExp(UNSEEN, "g"), (character) => {
    const code = character.charCodeAt(0);
    return `\\u${code.toString(16).padStart(4, "0")}`;
  });
}

/** Returns an argument as the shell reads it back. `undefined`: no command can have it. */
export function quoted(argument: string): string | undefined {
  const text = argument.toWellFormed();
  if (text.includes("\0")) return undefined;
  if (PLAIN.test(text)) return text;
  if (text === "") return "''";
  return text
    .split(new RegExp(`(${UNSEEN.source}+)`))
    .filter((part) => part !== "")
    .map((part) => (UNSEEN.test(part) ? `"$(printf '${octal(part)}')"` : `'${part.replaceAll("'", String.raw`'\''`)}'`))
    .join("");
}

function octal(text: string): string {
  return [...new TextEncoder().encode(text)].map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("");
}

export function isLong(json: string): boolean {
  return json.length > ARGUMENT_BYTES_MAX / 3 && new TextEncoder().encode(json).length > ARGUMENT_BYTES_MAX;
}

/** Returns the text of a command. `undefined`: a part of it cannot be an argument. */
export function commandText({ args, stdin }: Command): string | undefined {
  const parts = args.map(quoted);
  if (parts.includes(undefined)) return undefined;
  return parts.join(" ") + (stdin === undefined ? "" : heredoc(stdin));
}

/** The word that ends the text is none of its lines: a hostile line cannot end it, and be a command. */
function heredoc(text: string): string {
  const lines = new Set(text.split("\n"));
  let end = END;
  while (lines.has(end)) end += "_";
  return ` <<'${end}'\n${text}\n${end}`;
}

export function curlText(origin: string, { verb, path, body }: ApiRequest): string {
  const json = body === undefined ? undefined : jsonLine(body);
  const url = quoted(origin + path) ?? "";
  const lines = [`curl -X ${verb} ${url}`, '-H "Authorization: Bearer $TOKEN"'];
  if (json === undefined) return lines.join(" \\\n  ");
  lines.push("-H 'Content-Type: application/json'");
  if (isLong(json)) return [...lines, "--data-binary @-"].join(" \\\n  ") + heredoc(json);
  return [...lines, `--data-raw ${quoted(json)}`].join(" \\\n  ");
}
