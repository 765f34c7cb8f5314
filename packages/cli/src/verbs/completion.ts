/**
 * `holdfast completion`: prints the script that lets a shell complete verbs and options.
 *
 * Owns: the use of @bomb.sh/tab, in this file alone. The script calls `holdfast complete -- …` for each completion. The
 * library writes to the process's own stdout.
 */
import completions from "@bomb.sh/tab";
import describe from "@bomb.sh/tab/commander";
import { Argument, Command } from "commander";
import type { Verb } from "../verb.ts";

const SHELLS = ["bash", "zsh", "fish"];

export const completion: Verb = (host) =>
  host.does(
    new Command("completion")
      .description("Prints a completion script for a shell.")
      .addArgument(new Argument("<shell>", "your shell").choices(SHELLS))
      .addHelpText("after", EXAMPLES),
    async ({ args: [shell = ""] }) => completions.setup("holdfast", "holdfast", shell),
  );

/** Prints what may follow these words, for the script. `program` has all verbs. */
export function complete(program: Command, words: readonly string[]): void {
  // One line for each verb.
  for (const command of program.commands) command.description(command.summary());
  describe(program);
  // The library's own verbs.
  completions.commands.delete("complete");
  completions.commands.delete("help");
  for (const command of completions.commands.values())
    for (const [name, option] of completions.options) if (!command.options.has(name)) command.options.set(name, option);
  completions.parse([...words]);
}

const EXAMPLES = `
Examples:
  $ source <(holdfast completion bash)              # in ~/.bashrc
  $ source <(holdfast completion zsh)               # in ~/.zshrc
  $ holdfast completion fish | source               # in ~/.config/fish/config.fish`;
