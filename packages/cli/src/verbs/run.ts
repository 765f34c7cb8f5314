/**
 * `holdfast run`: shows a run.
 */
import { Command } from "commander";
import { readExported } from "../select/exported.ts";
import { printRun } from "../show-run.ts";
import type { Verb } from "../verb.ts";

export const run: Verb = (host) =>
  host.does(
    new Command("run")
      .description("Shows a run: its status, its steps, what it waits for, its output or error.")
      .argument("<id>", "the id of the run, or @FILE from holdfast export")
      .addHelpText("after", EXAMPLES),
    async ({ session, args: [id = ""] }) => {
      const record = id.startsWith("@")
        ? (await readExported(session.io, id.slice(1))).run
        : await (await session.client()).run(id).get();
      await printRun(session, record);
    },
  );

const EXAMPLES = `
Examples:
  $ holdfast run order-1
  $ holdfast run order-1 | jq .output
  $ holdfast run @exports/order-1.json`;
