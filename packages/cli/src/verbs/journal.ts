/**
 * `holdfast journal`: prints the journal of a run.
 */
import { Command } from "commander";
import { UsageError } from "../exit.ts";
import { journalShape } from "../output/entry-text.ts";
import { safe } from "../output/safe-text.ts";
import { readExported } from "../select/exported.ts";
import type { Verb } from "../verb.ts";

interface Options {
  readonly after?: string;
  readonly columns?: string;
}

export const journal: Verb = (host) =>
  host.does<Options>(
    new Command("journal")
      .description("Prints the journal of a run, from a server or from an exported file.")
      .argument("<id>", "the id of the run, or @FILE from holdfast export")
      .option("--after <seq>", "only the entries after this one")
      .option(
        "--columns <names>",
        `the columns of the table: ${journalShape.columns.map(({ name }) => name).join(", ")}`,
      )
      .addHelpText("after", EXAMPLES),
    async ({ session, args: [id = ""], options: { after = "0", columns } }) => {
      if (!/^\d{1,15}$/.test(after)) throw new UsageError(`--after: ${JSON.stringify(after)} is not a number.`);
      if (id.startsWith("@")) {
        const { journal: entries } = await readExported(session.io, id.slice(1));
        const later = entries.filter(({ seq }) => seq > Number(after));
        return void (await session.out.rows(later, journalShape, columns));
      }
      const run = (await session.client()).run(id);
      await session.notes.progress(
        () => safe`Reading the journal of ${id}`,
        () => session.out.rows(run.journal({ after: Number(after) }), journalShape, columns),
      );
    },
  );

const EXAMPLES = `
Examples:
  $ holdfast journal order-1
  $ holdfast journal order-1 | jq -c 'select(.type == "step.failed")'
  $ holdfast journal @exports/order-1.json`;
