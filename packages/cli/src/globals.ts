/**
 * The options that every verb has.
 */
import { type Command, Option } from "commander";
import { FORMATS, type Format } from "./output/printer.ts";

export interface Globals {
  readonly profile?: string;
  readonly url?: string;
  readonly output?: Format;
  /** `false` after --no-input. */
  readonly input: boolean;
  /** `false` after `--no-color`. */
  readonly color: boolean;
}

export function addGlobals(command: Command): Command {
  return command
    .option("--profile <name>", "use this profile")
    .option("--url <url>", "use the API at this URL")
    .addOption(new Option("-o, --output <format>", "how to print data").choices(FORMATS))
    .option("--no-input", "ask nothing; fail instead")
    .option("--no-color", "use no colours");
}
