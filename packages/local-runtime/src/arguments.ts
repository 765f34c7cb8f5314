/**
 * The arguments of a command of this repository.
 *
 * Owns: the answer to `--help` and to a wrong argument: the header of the command's file, which says what the options mean.
 */
import { readFileSync } from "node:fs";
import { type ParseArgsConfig, parseArgs } from "node:util";

/** Reads the arguments of this process. Prints the header of its file and ends the process for `--help`, and if one is wrong. */
export function readArguments<T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (error) {
    const usage = headerOf(process.argv[1] ?? "");
    if (process.argv.some((argument) => ["--help", "-h"].includes(argument))) {
      console.log(usage);
      return process.exit(0);
    }
    console.error(`${(error as Error).message}\n\n${usage}`);
    return process.exit(2);
  }
}

/** The first comment of a file, without its asterisks. */
function headerOf(file: string): string {
  const [, comment = ""] = /^\/\*\*\n([^]*?)\n \*\//u.exec(readFileSync(file, "utf8")) ?? [];
  return comment.replaceAll(/^ \* ?/gmu, "");
}
