/**
 * The command of a profile that prints its token (CLI8).
 *
 * Owns: its words and its execution. No shell reads it: quotes group words, a backslash takes the next character literally,
 * and nothing else is special, so no variable, pipe or glob is expanded. For those, name a shell: `sh -c '…'`.
 */
import { spawn } from "node:child_process";
import { UsageError } from "../exit.ts";
import type { Io } from "../io.ts";

const OUTPUT_MAX = 65_536;

/** @throws UsageError for an open quote, or a command without words */
export function splitWords(command: string): readonly string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = "";
  for (let at = 0; at < command.length; at++) {
    const char = command.charAt(at);
    if (char === "\\" && quote !== "'" && at + 1 < command.length) word = (word ?? "") + command.charAt(++at);
    else if (quote !== "") {
      if (char === quote) quote = "";
      else word += char;
    } else if (char === '"' || char === "'") {
      quote = char;
      word ??= "";
    } else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? "") + char;
  }
  if (quote !== "") throw new UsageError(`tokenCommand has no closing ${quote}.`);
  if (word !== undefined) words.push(word);
  if (words.length === 0) throw new UsageError("tokenCommand is empty.");
  return words;
}

/** Whether a text can be a token. The platform's error for another one would quote it. */
export function isToken(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text);
}

/**
 * Returns what the command prints, without the white space at its ends. It may ask questions on the terminal.
 * @throws UsageError if it cannot start, fails, or prints no token. The message never has its output.
 */
export async function runTokenCommand(command: string, { signal, stdin }: Io): Promise<string> {
  const [file = "", ...args] = splitWords(command);
  // Input in a pipe is for the verb.
  const { status, output } = await execute(file, args, stdin.isTTY === true ? "inherit" : "ignore", signal);
  signal.throwIfAborted();
  if (status !== 0) throw new UsageError(`tokenCommand: ${JSON.stringify(file)} exited with ${status}.`);
  const token = output.trim();
  if (!isToken(token))
    throw new UsageError(`tokenCommand: ${JSON.stringify(file)} must print the token, one word, and nothing else.`);
  return token;
}

async function execute(file: string, args: readonly string[], input: "inherit" | "ignore", signal: AbortSignal) {
  const child = spawn(file, args, { stdio: [input, "pipe", "inherit"], signal });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    if (output.length > OUTPUT_MAX) child.kill();
  });
  return new Promise<{ status: string | number; output: string }>((resolve, reject) => {
    child.once("error", (error: NodeJS.ErrnoException) => {
      if (signal.aborted) resolve({ status: 0, output: "" });
      else
        reject(
          new UsageError(`tokenCommand: ${JSON.stringify(file)} cannot be started: ${error.code ?? error.message}.`),
        );
    });
    child.once("close", (code, killedBy) => resolve({ status: code ?? killedBy ?? "no status", output }));
  });
}
