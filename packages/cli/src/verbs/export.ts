/**
 * `holdfast export`: writes runs with their journals, to stdout or to files.
 */
import { rename, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Client, JournalEntry } from "@holdfast/workflows/client";
import { Command } from "commander";
import { actOnRuns } from "../act/act.ts";
import { type SelectOptions, addSelection } from "../act/selection.ts";
import { type ExitCode, UsageError, asApiFailure } from "../exit.ts";
import { makeFolder } from "../make-folder.ts";
import { type ExportedRun, exported } from "../select/exported.ts";
import type { Verb } from "../verb.ts";

interface Options extends SelectOptions {
  readonly dir?: string;
}

interface Written {
  readonly id: string;
  readonly file: string;
}

export const exportRuns: Verb = (host) =>
  host.does<Options>(
    addSelection(
      new Command("export").description(
        "Writes runs with their journals as JSON: one run a line, or one file for each run. holdfast run and journal read them again.",
      ),
      "read",
    )
      .option("--dir <folder>", "write one file for each run into this folder")
      .addHelpText("after", EXAMPLES),
    async ({ session, rest, options }): Promise<ExitCode | undefined> => {
      const { dir } = options;
      const folder = dir === undefined ? undefined : resolve(session.io.cwd, dir);
      if (folder !== undefined) prepare(folder);
      const read = (client: Client, id: string): Promise<ExportedRun> => readRun(client, id, session.io.now());
      if (folder === undefined)
        return actOnRuns(session, { ids: rest, options, verb: "export" }, read, {
          id: ({ run }) => run.id,
          empty: "No run matches.",
          columns: [
            { name: "id", cell: ({ run }) => run.id },
            { name: "status", cell: ({ run }) => run.status },
            { name: "entries", cell: ({ journal }) => String(journal.length), align: "right" },
          ],
        });
      const write = async (client: Client, id: string): Promise<Written> => ({
        id,
        file: await writeRun(folder, id, await read(client, id)),
      });
      return actOnRuns(session, { ids: rest, options, verb: "export" }, write, {
        id: ({ file }) => file,
        empty: "No run matches.",
        columns: [
          { name: "id", cell: ({ id }) => id },
          { name: "file", cell: ({ file }) => file },
        ],
      });
    },
  );

function prepare(folder: string): void {
  try {
    makeFolder(folder);
  } catch (error) {
    const { code = "unknown" } = error as NodeJS.ErrnoException;
    throw new UsageError(`--dir: ${folder} cannot be used as a folder: ${code}. Name another folder.`);
  }
}

async function readRun(client: Client, id: string, now: number): Promise<ExportedRun> {
  const handle = client.run(id);
  const run = await handle.get();
  const journal: JournalEntry[] = [];
  for await (const entry of handle.journal()) journal.push(entry);
  const audit = await handle.audit().catch((error: unknown) => {
    if (asApiFailure(error)?.status === 403) return undefined;
    throw error;
  });
  return exported({ exportedAt: now, run, journal, ...(audit === undefined ? {} : { audit }) });
}

/** A reader never sees half a file. The name of an id with other characters is percent-encoded. */
async function writeRun(folder: string, id: string, run: ExportedRun): Promise<string> {
  const name = encodeURIComponent(id).replace(/^\./, "%2E").replaceAll("*", "%2A");
  const file = join(folder, `${name.slice(0, 200)}.json`);
  const unfinished = `${file}.${process.pid}`;
  try {
    await writeFile(unfinished, `${JSON.stringify(run)}\n`, { mode: 0o600 });
    await rename(unfinished, file);
  } finally {
    await rm(unfinished, { force: true });
  }
  return file;
}

const EXAMPLES = `
Examples:
  $ holdfast export order-1 > order-1.json
  $ holdfast export --where 'status:failed created:>1d' --dir exports
  $ holdfast journal @order-1.json`;
