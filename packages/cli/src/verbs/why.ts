/**
 * `holdfast why`: says why a run is in its state, through its children (WHY4).
 */
import type { WhyEntry } from "@holdfast/workflows/client";
import { Command } from "commander";
import { EXIT, type ExitCode } from "../exit.ts";
import { whyLines } from "../output/why-text.ts";
import { safe } from "../output/safe-text.ts";
import { readExported } from "../select/exported.ts";
import type { Verb } from "../verb.ts";

export const why: Verb = (host) =>
  host.does(
    new Command("why")
      .description(
        "Says why a run does not move: what it waits for, since when, until when, and which verbs help. Follows the children for which it waits.",
      )
      .argument("<id>", "the id of the run, or @FILE from holdfast export")
      .addHelpText("after", EXAMPLES),
    async ({ session, args: [id = ""] }): Promise<ExitCode | undefined> => {
      const { out, notes, io } = session;
      const run = id.startsWith("@")
        ? (await readExported(io, id.slice(1))).run
        : await notes.progress(
            () => safe`Reading ${id} and the runs for which it waits`,
            async () => (await session.client()).run(id).get({ why: "deep" }),
          );
      // Without the scope `read` a record has the id and the status only.
      const entries: readonly WhyEntry[] | undefined = run.why;
      if (entries === undefined) {
        notes.error([safe`The record of ${id} does not say why: the token has no scope read, or the server is older.`]);
        return EXIT.unauthorized;
      }
      if (out.isTable) {
        const page = { paint: out.paint, width: out.width, now: io.now() };
        for (const line of whyLines(run, page)) await out.line(line);
        return undefined;
      }
      // One line for each run, the deepest first.
      const ofRuns = [...new Map(entries.map((entry) => [entry.runId ?? run.id, entry])).values()];
      const rows = out.format === "id" ? ofRuns : entries;
      await out.rows(rows, { id: ({ runId }) => runId ?? run.id, empty: "", columns: [] });
      return undefined;
    },
  );

const EXAMPLES = `
Examples:
  $ holdfast why order-1
  $ holdfast why order-1 | jq -r .code
  $ holdfast run "$(holdfast why order-1 --output id | head -1)"`;
