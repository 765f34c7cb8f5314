/**
 * `holdfast count`: counts runs.
 */
import { Command, Option } from "commander";
import { safe } from "../output/safe-text.ts";
import { type FilterOptions, addFilter, filterOf } from "../select/filter-options.ts";
import type { Verb } from "../verb.ts";

interface Options extends FilterOptions {
  readonly by?: "status" | "workflow";
}

export const count: Verb = (host) =>
  host.does<Options>(
    addFilter(new Command("count").description("Counts runs. It reads the whole list, page by page."))
      .addOption(new Option("--by <field>", "count for each value of a field").choices(["status", "workflow"]))
      .addHelpText("after", EXAMPLES),
    async ({ session, rest, options: { by, ...options } }) => {
      const { io, out, notes } = session;
      const filter = filterOf(rest, options, io.now());
      const client = await session.client();
      const counts = new Map<string, number>();
      let total = 0;
      await notes.progress(
        () => safe`${total} runs so far`,
        async () => {
          for await (const run of client.all({ ...filter, limit: 200 })) {
            total++;
            const value = by === "workflow" ? run.workflowId : run.status;
            counts.set(value, (counts.get(value) ?? 0) + 1);
          }
        },
      );
      if (by === undefined)
        return out.item(
          { count: total },
          () => String(total),
          () => [safe`${total}`],
        );
      const rows = [...counts]
        .toSorted(([, one], [, other]) => other - one)
        .map(([value, number]) => ({ [by]: value, count: number }));
      const columns = [
        { name: by, cell: (row: (typeof rows)[number]) => String(row[by]) },
        { name: "count", cell: (row: (typeof rows)[number]) => String(row["count"]), align: "right" as const },
      ];
      await out.rows(rows, { columns, id: (row) => String(row[by]), empty: "No run matches." });
    },
  );

const EXAMPLES = `
Examples:
  $ holdfast count status:failed
  $ holdfast count workflow:order 'created:>7d' --by status`;
