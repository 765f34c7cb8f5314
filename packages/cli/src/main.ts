/**
 * The command `holdfast`.
 *
 * Owns: the start of the process and its end. `--version` alone loads nothing else.
 */
import { readVersion } from "./version.ts";

const args = process.argv.slice(2);

function hasFolder(): boolean {
  try {
    return process.cwd() !== "";
  } catch {
    return false;
  }
}

if (args.length === 1 && (args[0] === "--version" || args[0] === "-V")) console.log(readVersion());
else if (!hasFolder()) {
  console.error("Error: This folder does not exist any more. Change to another one, then repeat the command.");
  process.exitCode = 2;
} else {
  const [{ runCommand }, { processIo }] = await Promise.all([import("./command.ts"), import("./io.ts")]);
  const io = processIo();
  // Handles such as idle connections and a terminal's input must not delay the end; output in a pipe must arrive first.
  io.end(await runCommand(args, io));
}
