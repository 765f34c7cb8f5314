/**
 * `holdfast sync`: what the served code declares: schedules and limits.
 *
 * Owns: the difference, which it prints before it applies anything.
 */
import type { Client, LimitChange, LimitSettings, ScheduleSync } from "@holdfast/workflows/client";
import { Command } from "commander";
import { askConsent, checkConsent } from "../act/consent.ts";
import type { SelectOptions } from "../act/selection.ts";
import type { RowShape } from "../output/printer.ts";
import type { Verb } from "../verb.ts";

type ScheduleChange = ScheduleSync["changes"][number];

type Change = ({ readonly of: "schedule" } & ScheduleChange) | ({ readonly of: "limit" } & LimitChange);

const changes: RowShape<Change> = {
  id: nameOf,
  empty: "The code declares no schedule, and the list of limits is empty.",
  columns: [
    { name: "of", cell: ({ of }) => of },
    { name: "name", cell: nameOf },
    { name: "change", cell: ({ change }) => change },
    { name: "applies", cell: (one) => (one.of === "limit" ? textOf(one.applies) : ""), optional: true },
    { name: "declares", cell: (one) => (one.of === "limit" ? textOf(one.declares) : ""), optional: true },
  ],
};

function nameOf(change: Change): string {
  if (change.of === "schedule") return change.id;
  return change.key === undefined ? change.name : `${change.name} ${change.key}`;
}

function textOf(settings: LimitSettings | undefined): string {
  if (settings === undefined) return "";
  const { max, rate, maxQueued, dropQueued } = settings;
  return [
    ...(max === null ? [] : [`max ${max}`]),
    ...(rate === undefined ? [] : [`${rate.limit} per ${rate.perMs} ms, burst ${rate.burst}`]),
    ...(maxQueued === undefined ? [] : [`queue ${maxQueued}`]),
    ...(dropQueued === undefined ? [] : [`drops ${dropQueued}`]),
  ].join(", ");
}

export const sync: Verb = (host) =>
  host.does<Pick<SelectOptions, "confirm"> & { readonly dryRun?: true }>(
    new Command("sync")
      .description(
        "Applies the schedules and limits that the served code declares, after it has printed the difference.",
      )
      .option("--dry-run", "only print the difference")
      .option("--confirm <profile>", "the name of a protected profile, in place of typing it")
      .addHelpText("after", "\nExamples:\n  $ holdfast sync --dry-run\n  $ holdfast sync"),
    async ({ session, options }) => {
      const client = await session.client();
      await session.out.rows(difference(client), changes);
      if (options.dryRun === true) return;
      const what = { verb: "apply the declarations to the schedules and limits for", isDestructive: true };
      await checkConsent(session, what, options);
      await askConsent(session, what, { ids: [""], where: undefined }, options);
      await client.syncSchedules();
      for await (const _change of client.syncLimits());
    },
  );

async function* difference(client: Client): AsyncGenerator<Change> {
  for (const change of (await client.syncSchedules({ dryRun: true })).changes) yield { of: "schedule", ...change };
  for await (const change of client.syncLimits({ dryRun: true })) yield { of: "limit", ...change };
}
