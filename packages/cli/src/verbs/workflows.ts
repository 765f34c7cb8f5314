/**
 * `holdfast workflows`: lists what the deployment serves.
 */
import type { WorkflowInfo } from "@holdfast/workflows/client";
import { Command } from "commander";
import type { RowShape } from "../output/printer.ts";
import { duration } from "../output/times.ts";
import type { Verb } from "../verb.ts";

interface Options {
  readonly columns?: string;
}

const shape: RowShape<WorkflowInfo> = {
  id: ({ id }) => id,
  empty: "This deployment serves no workflow.",
  columns: [
    { name: "id", cell: ({ id }) => id },
    { name: "version", cell: ({ version }) => version ?? "" },
    {
      name: "budget",
      cell: ({ timeoutMs }) => (timeoutMs === undefined ? "" : duration(timeoutMs)),
      align: "right",
      optional: true,
    },
    { name: "tags", cell: ({ tags }) => (tags ?? []).join(" "), min: 6, optional: true },
    { name: "description", cell: ({ description }) => description ?? "", min: 16 },
  ],
};

export const workflows: Verb = (host) =>
  host.does<Options>(
    new Command("workflows")
      .description("Lists the workflows that the deployment serves.")
      .option("--columns <names>", `the columns of the table: ${shape.columns.map(({ name }) => name).join(", ")}`)
      .addHelpText("after", EXAMPLES),
    async ({ session, options: { columns } }) => {
      await session.out.rows(await (await session.client()).workflows(), shape, columns);
    },
  );

const EXAMPLES = `
Examples:
  $ holdfast workflows
  $ holdfast workflows --output id`;
