/**
 * The form of a verb: a commander `Command` with work.
 *
 * Owns: what a verb's work gets, and where its exit code goes. A verb's file is loaded only if the command line names it.
 */
import type { Command } from "commander";
import { EXIT, type ExitCode } from "./exit.ts";
import type { Globals } from "./globals.ts";
import type { Io } from "./io.ts";
import { Session } from "./session.ts";

export interface Call<Options> {
  readonly session: Session;
  /** The arguments; those of a variadic one are in `rest`. */
  readonly args: readonly (string | undefined)[];
  readonly rest: readonly string[];
  readonly options: Options;
}

export class Host {
  readonly io: Io;
  exit: ExitCode = EXIT.done;
  /** Of the verb that works. */
  session: Session | undefined;

  constructor(io: Io) {
    this.io = io;
  }

  /** Gives a command its work. The work's result is the exit code; `undefined` means done. */
  does<Options extends object>(
    command: Command,
    work: (call: Call<Options>) => Promise<ExitCode | undefined | void>,
  ): Command {
    return command.action(async () => {
      const options = command.opts<Options & { readonly columns?: string }>();
      const session = new Session(this.io, rootOf(command).opts<Globals>(), options);
      this.session = session;
      const given: readonly (string | readonly string[] | undefined)[] = command.processedArgs;
      const args = given.map((arg) => (typeof arg === "object" ? undefined : arg));
      const rest = given.flatMap((arg) => (typeof arg === "object" ? arg : []));
      this.exit = (await work({ session, args, rest, options })) ?? EXIT.done;
    });
  }
}

export type Verb = (host: Host) => Command;

function rootOf(command: Command): Command {
  return command.parent === null ? command : rootOf(command.parent);
}
