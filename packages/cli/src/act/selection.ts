/**
 * The runs that an acting verb works on: ids, ids from stdin, or a filter (CLI6).
 *
 * Owns: the options for it, and the collection of ids. A filter is read to its end first: what is shown to the person is
 * exactly what is acted on.
 */
import type { Command } from "commander";
import { UsageError } from "../exit.ts";
import { safe } from "../output/safe-text.ts";
import { parseFilter, splitFilter } from "../select/filter.ts";
import { readAll } from "../select/input.ts";
import type { Session } from "../session.ts";

export interface SelectOptions {
  readonly where?: string;
  readonly yes?: true;
  readonly dryRun?: true;
  readonly rate?: string;
  readonly confirm?: string;
}

/** `read`: the verb changes nothing, so nobody is asked. */
export function addSelection(command: Command, kind: "act" | "read" = "act", ids = "[ids...]"): Command {
  const select = command
    .argument(ids, "ids of runs; - reads them from stdin, one a line")
    .option("--where <filter>", "select runs by a filter, such as 'status:failed workflow:order'")
    .option("--rate <rate>", "at most this many runs in a time, such as 20/s or 100/m");
  if (kind === "read") return select;
  return select
    .option("--dry-run", "show what would be done, and do nothing")
    .option("-y, --yes", "do not ask")
    .option("--confirm <profile>", "the name of a protected profile, in place of typing it");
}

export interface Selection {
  readonly ids: readonly string[];
  /** The filter that selected them. */
  readonly where: string | undefined;
}

export async function selectRuns(
  session: Session,
  given: readonly string[],
  { where }: SelectOptions,
): Promise<Selection> {
  if (where !== undefined && given.length > 0) throw new UsageError("Give ids or --where, not both.");
  if (where !== undefined) return { ids: await matching(session, where), where };
  const ids = given.length === 1 && given[0] === "-" ? await readIds(session) : [...new Set(given)];
  if (ids.length === 0) throw new UsageError("Give the ids of runs, or --where with a filter.");
  return { ids, where: undefined };
}

async function readIds({ io }: Session): Promise<readonly string[]> {
  const lines = (await readAll(io, "-")).split(/\r?\n/).filter((line) => line !== "");
  return [...new Set(lines)];
}

async function matching(session: Session, where: string): Promise<readonly string[]> {
  const terms = splitFilter(where);
  if (terms.length === 0)
    throw new UsageError("--where is empty. To select every run, write --where 'created:>1970-01-01'.");
  const filter = parseFilter(terms, session.io.now());
  const client = await session.client();
  const ids: string[] = [];
  await session.notes.progress(
    () => safe`${ids.length} runs match so far`,
    async () => {
      for await (const { id } of client.all({ ...filter, limit: 200 })) ids.push(id);
    },
  );
  return ids;
}
