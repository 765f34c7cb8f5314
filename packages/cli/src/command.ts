/**
 * One call of the command: from its arguments to its exit code.
 *
 * Owns: parsing, help, the version, and what happens with every error. Only verbs that the arguments name are loaded.
 */
import { Command, CommanderError } from "commander";
import { EXIT, type ExitCode, Interrupted, Reported, describeError, exitCodeOf } from "./exit.ts";
import { type Globals, addGlobals } from "./globals.ts";
import type { Io } from "./io.ts";
import { Notes } from "./output/notes.ts";
import { Host } from "./verb.ts";
import { VERBS } from "./verbs.ts";
import { readVersion } from "./version.ts";

const HELP_WIDTH = 80;

export async function runCommand(args: readonly string[], io: Io): Promise<ExitCode> {
  const host = new Host(io);
  if (args[0] === "complete") return complete(host, args.slice(args.indexOf("--") + 1));
  const program = await buildProgram(host, (name) => args.includes(name));
  try {
    await program.parseAsync(withoutHelp(args), { from: "user" });
    return host.exit;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    return report(host, program.opts<Globals>(), io.signal.aborted ? io.signal.reason : error);
  }
}

/** `help` with an unknown verb is that verb: then the error names the nearest one. */
function withoutHelp(args: readonly string[]): readonly string[] {
  const [first, verb = "-"] = args;
  const isKnown = verb === "help" || verb.startsWith("-") || VERBS.some(({ name }) => name === verb);
  return first === "help" && !isKnown ? [verb] : args;
}

/** What a shell's completion script calls. */
async function complete(host: Host, words: readonly string[]): Promise<ExitCode> {
  const [program, completion] = await Promise.all([buildProgram(host, () => true), import("./verbs/completion.ts")]);
  completion.complete(program, words);
  return EXIT.done;
}

function report({ io, session }: Host, { color }: Globals, error: unknown): ExitCode {
  if (!(error instanceof Interrupted || error instanceof Reported))
    new Notes(io, !color).error(describeError(error, session?.tokenFrom));
  return exitCodeOf(error);
}

/** An error about `--token` says where a token belongs, and does not show one that was given. */
function aboutToken(text: string): string {
  if (!/^error: unknown option '--token(?:=|')/.test(text)) return text;
  return `error: unknown option '--token': other users see options. Set HOLDFAST_TOKEN, or store a token with "holdfast login".\n`;
}

/** Builds the program. A verb that is not loaded has its name and summary only. */
async function buildProgram(host: Host, isNamed: (name: string) => boolean): Promise<Command> {
  const program = addGlobals(new Command("holdfast"))
    .description("Durable workflows for TypeScript: runs them on this machine, and operates any deployment.")
    .version(readVersion(), "-V, --version", "print the version of this command")
    .helpOption("-h, --help", "print help")
    .helpCommand("help [verb]", "print the help of a verb")
    .showHelpAfterError('Run "holdfast help" for the verbs, and "holdfast VERB --help" for one.')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => host.io.stdout.write(text),
      writeErr: (text) => host.io.stderr.write(text),
      getOutHelpWidth: () => host.io.stdout.columns || HELP_WIDTH,
      getErrHelpWidth: () => host.io.stderr.columns || HELP_WIDTH,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
      outputError: (text, write) => write(aboutToken(text)),
    })
    .exitOverride();
  for (const { name, group, summary, load } of VERBS) {
    const command = isNamed(name) ? (await load())(host) : new Command(name);
    inherit(command, program);
    program.addCommand(command.summary(summary).helpGroup(group));
  }
  return program;
}

/** Commander passes its settings on only to commands that it makes. */
function inherit(command: Command, parent: Command): void {
  command.copyInheritedSettings(parent);
  for (const child of command.commands) inherit(child, command);
}
