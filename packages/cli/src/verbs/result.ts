/**
 * `holdfast result`: waits for the end of a run, and prints its output alone.
 */
import { Command } from "commander";
import type { ExitCode } from "../exit.ts";
import { safe, safeJson } from "../output/safe-text.ts";
import { exitOf, waitForEnd } from "../show-run.ts";
import type { Verb } from "../verb.ts";

interface Options {
  readonly timeout?: string;
}

export const result: Verb = (host) =>
  host.does<Options>(
    new Command("result")
      .description(
        "Waits for the end of a run and prints its output as JSON. If the run ends without a result, prints the reason on stderr and exits with 1.",
      )
      .argument("<id>", "the id of the run")
      .option("--timeout <duration>", "stop waiting after this time, and exit 6; the run continues")
      .addHelpText("after", EXAMPLES),
    async ({ session, args: [id = ""], options }): Promise<ExitCode> => {
      const run = await waitForEnd(session, (await session.client()).run(id), options.timeout);
      const exit = exitOf(session, run);
      if (run.status === "completed")
        await session.out.item(
          run.output ?? null,
          () => id,
          (output) =>
            safeJson(output, 2)
              .split("\n")
              .map((line) => safe`${line}`),
        );
      return exit;
    },
  );

const EXAMPLES = `
Examples:
  $ holdfast result order-1 --timeout 10m
  $ holdfast result order-1 | jq -r .parcel`;
