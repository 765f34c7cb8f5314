/**
 * `holdfast dev`: runs workflows on this machine.
 *
 * Owns: its options. The tools of this verb are loaded only when it executes.
 */
import { Command, InvalidArgumentError } from "commander";
import { askYes } from "../act/consent.ts";
import { Interrupted } from "../exit.ts";
import type { Verb } from "../verb.ts";

interface Options {
  readonly steps?: string;
  readonly port?: number;
  readonly data: string;
  readonly dashboard: boolean;
  readonly reset?: true;
  readonly yes?: true;
}

export const dev: Verb = (host) =>
  host.does<Options>(
    new Command("dev")
      .description("Runs your workflows on this machine, with storage on disk, and loads the code again when you save.")
      .argument(
        "[entry]",
        "the file that exports your workflows (default: main of wrangler.jsonc, or src/workflows.ts)",
      )
      .option("--steps <url>", "send the steps to your service at this URL, in place of an entry")
      .option("--port <port>", "the port on 127.0.0.1 (default: 8787, or the next free one)", readPort)
      .option("--data <folder>", "the folder for the runs", ".holdfast")
      .option("--no-dashboard", "let your Worker answer /ui, in place of the dashboard")
      .option("--reset", "remove the stored runs first")
      .option("--yes", "remove them without a question")
      .addHelpText("after", EXAMPLES),
    async ({ session, args: [entry], options: { yes, ...options } }) => {
      const { serveDev } = await import("./server.ts");
      const ask = async (question: string): Promise<boolean> => {
        if (yes === true) return true;
        if (!session.canAsk) return false;
        return askYes(session, question).catch(ignoreInterrupt);
      };
      const { color, output } = session.globals;
      const ndjson = output === "ndjson" || output === "json";
      await serveDev({ ...options, entry, io: session.io, colourOff: !color, ndjson, ask });
    },
  );

/** An interrupted question is not an agreement. */
function ignoreInterrupt(error: unknown): false {
  if (error instanceof Interrupted) return false;
  throw error;
}

function readPort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new InvalidArgumentError("must be a number from 0 to 65535.");
}

const EXAMPLES = `
Examples:
  $ holdfast dev
  $ holdfast dev src/workflows.ts --port 9000
  $ holdfast dev --steps http://127.0.0.1:3000/holdfast`;
