/**
 * `holdfast run`: shows a run.
 */
import { Command } from "commander";
import { printRun } from "../show-run.ts";
import type { Verb } from "../verb.ts";

export const run: Verb = (host) =>
  host.does(
    new Command("run")
      .description("Shows a run: its status, its steps, what it waits for, its output or error.")
      .argument("<id>", "the id of the run")
      .addHelpText("after", EXAMPLES),
    async ({ session, args: [id = ""] }) => printRun(session, await (await session.client()).run(id).get()),
  );

const EXAMPLES = `
Examples:
  $ holdfast run order-1
  $ holdfast run order-1 | jq .output`;
