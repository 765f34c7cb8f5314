/**
 * `holdfast tail`: follows a run with its children, or all runs that match a filter.
 */
import type { Client, RunFilter } from "@holdfast/workflows/client";
import { Command } from "commander";
import { type ExitCode, UsageError, asApiFailure } from "../exit.ts";
import { safe, safeJson, Text } from "../output/safe-text.ts";
import { parseFilter, splitFilter } from "../select/filter.ts";
import type { Session } from "../session.ts";
import { Follower } from "../tail/follow.ts";
import { RunLines } from "../tail/lines.ts";
import { watchRuns } from "../tail/watch.ts";
import type { Verb } from "../verb.ts";

interface Options {
  readonly where?: string;
  readonly from: string;
  readonly children: boolean;
}

export const tail: Verb = (host) =>
  host.does<Options>(
    new Command("tail")
      .description(
        "Follows a run live, with its children, to its end. Without an id, follows all runs that match --where, until Ctrl-C. The runs continue.",
      )
      .argument("[id]", "the id of a run")
      .option("--where <filter>", "follow all runs that match, such as 'workflow:order tag:vip'")
      .option("--from <point>", "start: from the run's start; now: only what follows", "start")
      .option("--no-children", "do not follow children")
      .addHelpText("after", EXAMPLES),
    async ({ session, args: [id], options: { where, from, children } }): Promise<ExitCode | undefined | void> => {
      if (id !== undefined && where !== undefined) throw new UsageError("Give an id or --where, not both.");
      if (from !== "start" && from !== "now") throw new UsageError("--from is start or now.");
      const filter = parseFilter(splitFilter(where ?? ""), session.io.now());
      const client = await session.client();
      if (id === undefined) return followAll(session, client, filter);
      try {
        await new Follower(session, client, { from, children }).follow(id);
      } catch (error) {
        if (asApiFailure(error)?.status === 404 && /^\w+:/.test(id))
          session.notes.say(safe`To follow all runs that match a filter: holdfast tail --where '${id}'`);
        throw error;
      }
    },
  );

async function followAll(session: Session, client: Client, filter: RunFilter): Promise<void> {
  const { out, notes } = session;
  notes.say(notes.paint("dim", "Following all runs that match. Ctrl-C stops; the runs continue."));
  for await (const run of watchRuns(session, client, filter)) {
    if (out.format === "id") await out.line(safe`${run.id}`);
    else if (!out.isTable) await out.line(new Text(safeJson(run, out.format === "json" ? 2 : undefined)));
    else await out.line(new RunLines(out.paint, run.parent === undefined ? 0 : 1).status(run));
  }
}

const EXAMPLES = `
Examples:
  $ holdfast tail order-1
  $ holdfast tail --where 'workflow:order status:failed'
  $ holdfast tail order-1 | jq -c 'select(.type == "step") | .data.name'`;
