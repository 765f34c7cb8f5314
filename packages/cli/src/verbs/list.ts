/**
 * `holdfast list`: lists runs, page by page.
 */
import type { Client, ListedRun, RunFilter } from "@holdfast/workflows/client";
import { Command, Option } from "commander";
import { UsageError } from "../exit.ts";
import { safe } from "../output/safe-text.ts";
import { runShape } from "../output/run-text.ts";
import { type FilterOptions, addFilter, filterOf } from "../select/filter-options.ts";
import type { Verb } from "../verb.ts";

interface Options extends FilterOptions {
  readonly limit?: string;
  readonly all?: true;
  readonly order?: "asc" | "desc";
  readonly columns?: string;
}

/** What a table shows unless --limit or --all is given. */
const TABLE_ROWS = 50;
const PAGE_MAX = 200;

export const list: Verb = (host) =>
  host.does<Options>(
    addFilter(
      new Command("list").description(
        `Lists runs, the newest first. A table shows the first ${TABLE_ROWS}; other formats have all of them.`,
      ),
    )
      .option("--limit <count>", "list at most this many")
      .addOption(new Option("--all", "list all of them").conflicts("limit"))
      .addOption(new Option("--order <order>", "by the time of creation").choices(["asc", "desc"]))
      .option("--columns <names>", `the columns of the table: ${COLUMNS}`)
      .addHelpText("after", EXAMPLES),
    async ({ session, rest, options }) => {
      const { io, out, notes } = session;
      const filter = filterOf(rest, options, io.now());
      const limit = limitOf(options, out.isTable);
      const client = await session.client();
      const rows = newest(client, { ...filter, order: options.order }, limit);
      const seen = { count: 0, more: false };
      const listed = count(rows, seen);
      await notes.progress(
        () => (seen.count === 0 ? safe`Waiting for the server` : safe`${seen.count} runs so far`),
        () => out.rows(listed, runShape(io.now()), options.columns),
      );
      if (seen.more && options.limit === undefined)
        notes.say(notes.paint("dim", `There are more: --all or --limit ${limit * 4} lists them.`));
    },
  );

const COLUMNS = runShape(0)
  .columns.map(({ name }) => name)
  .join(", ");

function limitOf({ limit, all }: Options, isTable: boolean): number {
  if (limit === undefined) return isTable && all !== true ? TABLE_ROWS : Infinity;
  if (/^[1-9]\d{0,8}$/.test(limit)) return Number(limit);
  throw new UsageError(`--limit: ${JSON.stringify(limit)} is not a whole number of at least 1.`);
}

async function* newest(
  client: Client,
  filter: RunFilter & { readonly order?: "asc" | "desc" | undefined },
  limit: number,
): AsyncGenerator<ListedRun | "more"> {
  // One more than the limit shows whether there are more.
  let left = limit;
  for await (const run of client.all({ ...filter, limit: Math.min(limit + 1, PAGE_MAX) })) {
    if (left-- === 0) return yield "more";
    yield run;
  }
}

async function* count(
  rows: AsyncIterable<ListedRun | "more">,
  seen: { count: number; more: boolean },
): AsyncGenerator<ListedRun> {
  for await (const row of rows) {
    if (row === "more") seen.more = true;
    else {
      seen.count++;
      yield row;
    }
  }
}

const EXAMPLES = `
Examples:
  $ holdfast list status:failed 'created:>1d'
  $ holdfast list workflow:order tag:vip --columns id,status,error
  $ holdfast list status:failed --output id | head -5`;
