/**
 * `holdfast schedule`: when runs start, what became of ticks, and what operators change.
 */
import type {
  DeclaredSchedule,
  ListedSchedule,
  PreviewedTime,
  ScheduleHandle,
  ScheduleRecord,
  ScheduleTick,
} from "@holdfast/workflows/client";
import { Command } from "commander";
import { askConsent, checkConsent } from "../act/consent.ts";
import type { SelectOptions } from "../act/selection.ts";
import type { RowShape } from "../output/printer.ts";
import { safe } from "../output/safe-text.ts";
import { instant } from "../output/times.ts";
import { UsageError } from "../exit.ts";
import { readInput } from "../select/input.ts";
import { timeOption } from "../select/moments.ts";
import type { Host, Verb } from "../verb.ts";

type Consent = Pick<SelectOptions, "confirm">;
type Session = Parameters<typeof askConsent>[0];

const schedules: RowShape<ListedSchedule> = {
  id: ({ id }) => id,
  empty: "There is no schedule.",
  columns: [
    { name: "id", cell: ({ id }) => id },
    { name: "workflow", cell: ({ workflowId }) => workflowId },
    { name: "times", cell: timesOf },
    { name: "status", cell: ({ status }) => status },
    { name: "next", cell: ({ next }) => next[0]?.local ?? "" },
    { name: "last", cell: ({ last }) => (last === undefined ? "" : outcomeOf(last)), optional: true },
    { name: "from", cell: ({ source }) => source, optional: true },
  ],
};

const times: RowShape<PreviewedTime> = {
  id: ({ nominal }) => instant(nominal),
  empty: "No time matches.",
  columns: [
    { name: "local", cell: ({ local }) => local },
    { name: "fires", cell: ({ fireAt }) => instant(fireAt) },
    { name: "note", cell: ({ note }) => note ?? "", optional: true },
  ],
};

function timesOf({ cron = [], every, at = [], tz }: ListedSchedule): string {
  const parts = [...cron, ...(every === undefined ? [] : [`every ${every} ms`]), ...at];
  return `${parts.join(", ")} ${tz}`;
}

function outcomeOf({ outcome, reason, code }: Pick<ScheduleTick, "outcome" | "reason" | "code">): string {
  return [outcome, reason ?? code].filter((part) => part !== undefined).join(" ");
}

export const schedule: Verb = (host) =>
  new Command("schedule")
    .description("Shows schedules and what became of their ticks, and changes them.")
    .addCommand(list(host))
    .addCommand(show(host))
    .addCommand(create(host))
    .addCommand(preview(host))
    .addCommand(pause(host))
    .addCommand(resume(host))
    .addCommand(trigger(host))
    .addCommand(backfill(host))
    .addCommand(remove(host));

function list(host: Host): Command {
  return host.does<{ readonly columns?: string }>(
    new Command("list")
      .description("Lists the schedules with their next time and what became of the last one.")
      .option("--columns <names>", `the columns of the table: ${schedules.columns.map(({ name }) => name).join(", ")}`)
      .addHelpText("after", examples("schedule list")),
    async ({ session, options: { columns } }) => {
      await session.out.rows(await (await session.client()).schedules(), schedules, columns);
    },
  );
}

function show(host: Host): Command {
  return host.does(
    one("show", "Shows a schedule: its next times, and its newest ticks.", "schedule show nightly"),
    async ({ session, args: [id = ""] }) => {
      await print(session, await (await session.client()).schedule(id).get());
    },
  );
}

function lines(record: ScheduleRecord): ReturnType<typeof safe>[] {
  const { id, status, workflowId, paused, next, ticks, counts } = record;
  const skipped = Object.entries(counts.skipped).map(([reason, count]) => `${count} ${reason}`);
  return [
    safe`${id}: ${status}, starts ${workflowId}, ${timesOf(record)}`,
    ...(paused === undefined ? [] : [safe`paused by ${paused.by} at ${instant(paused.at)}: ${paused.reason ?? ""}`]),
    safe`${counts.fired} fired, ${counts.failed} failed, skipped: ${skipped.join(", ") || "none"}`,
    ...next.map(({ local, note }) => safe`  next  ${local}  ${note ?? ""}`),
    ...ticks.map(
      (tick) => safe`  tick  ${instant(tick.nominal)}  ${outcomeOf(tick)}  ${tick.runId ?? tick.byRunId ?? ""}`,
    ),
  ];
}

async function print({ out }: Session, record: ScheduleRecord): Promise<void> {
  await out.item(record, ({ id }) => id, lines);
}

function create(host: Host): Command {
  return host.does<{ readonly declaration: string }>(
    new Command("create")
      .description("Creates a schedule from a declaration in JSON.")
      .requiredOption("-d, --declaration <json>", "the declaration: JSON, @FILE, or - for stdin")
      .addHelpText(
        "after",
        examples(`schedule create -d '{ "id": "nightly", "cron": "0 3 * * *", "workflow": "report" }'`),
      ),
    async ({ session, options }) => {
      const declaration = (await readInput(session.io, options.declaration, "--declaration")) as DeclaredSchedule;
      await print(session, await (await session.client()).createSchedule(declaration));
    },
  );
}

function preview(host: Host): Command {
  return host.does<{ readonly tz?: string; readonly spread?: string; readonly id?: string }>(
    new Command("preview")
      .description("Prints the next ten times of a pattern, with what the clock does then.")
      .argument("<pattern>", "a cron pattern")
      .option("--tz <zone>", "the time zone, such as Europe/Berlin; UTC by default")
      .option("--spread <time>", "the time over which ticks are spread, such as 10m or 50%")
      .option("--id <id>", "the id of the schedule: with --spread, when it fires follows from it")
      .addHelpText("after", examples(`schedule preview "30 2 * * *" --tz America/New_York`)),
    async ({ session, args: [cron = ""], options: { tz, spread, id } }) => {
      // The server checks the spread.
      const declared = { cron, tz, spread, id } as Partial<DeclaredSchedule>;
      await session.out.rows(await (await session.client()).previewSchedule(declared), times);
    },
  );
}

function pause(host: Host): Command {
  return host.does<Consent & { readonly reason?: string }>(
    confirmed(one("pause", "Skips the ticks of a schedule until it is resumed.", "schedule pause nightly")).option(
      "--reason <text>",
      "why",
    ),
    (call) => act(call, "pause", (handle) => handle.pause(call.options.reason)),
  );
}

function resume(host: Host): Command {
  return host.does<Consent & { readonly catchUp?: boolean }>(
    confirmed(one("resume", "Resumes a schedule.", "schedule resume nightly --catch-up")).option(
      "--catch-up",
      "count the ticks of the pause as missed",
    ),
    (call) => act(call, "resume", (handle) => handle.resume({ catchUp: call.options.catchUp })),
  );
}

function trigger(host: Host): Command {
  return host.does<Consent>(
    confirmed(one("trigger", "Starts a run of a schedule now.", "schedule trigger nightly")),
    async ({ session, args: [id = ""], options }) => {
      await consent(session, "trigger", options);
      const { runId } = await (await session.client()).schedule(id).trigger();
      await session.out.item(
        { runId },
        (started) => started.runId,
        (started) => [safe`started ${started.runId}`],
      );
    },
  );
}

interface BackfillOptions extends Consent {
  readonly from: string;
  readonly until: string;
  readonly overlap?: string;
  readonly rate?: string;
  readonly newestFirst?: boolean;
  readonly again?: boolean;
  readonly dryRun?: boolean;
}

function backfill(host: Host): Command {
  return host.does<BackfillOptions>(
    confirmed(
      one(
        "backfill",
        "Starts the runs of past ticks.",
        "schedule backfill nightly --from 2027-01-01 --until 2027-02-01 --dry-run",
      ),
    )
      .requiredOption("--from <time>", "the first time: 2027-01-01, 2027-01-01T12:00Z, or how long ago, such as 2d")
      .requiredOption("--until <time>", "the end; no tick at it or later")
      .option("--overlap <policy>", "queue (the default), skip or allow")
      .option("--rate <runs>", "runs a minute, at most")
      .option("--newest-first", "begin with the newest tick")
      .option("--again", "start also what has run already")
      .option("--dry-run", "only print what it would start"),
    async ({ session, args: [id = ""], options: { confirm, rate, overlap, from, until, ...how } }) => {
      if (rate !== undefined && !/^[1-9]\d{0,2}$/.test(rate))
        throw new UsageError("--rate must be a whole number from 1 to 600.");
      const range = rangeOf(from, until, session.io.now());
      if (how.dryRun !== true) await consent(session, "backfill", confirm === undefined ? {} : { confirm });
      const policy = overlap as "queue" | undefined;
      const all = { ...how, ...range, overlap: policy, rate: rate === undefined ? undefined : Number(rate) };
      const planned = await (await session.client()).schedule(id).backfill(all);
      await session.out.rows(planned.times, times);
      if (planned.total > planned.times.length) session.notes.say(safe`${planned.total} ticks in all.`);
    },
  );
}

/** @throws UsageError */
function rangeOf(from: string, until: string, now: number): Pick<BackfillOptions, "from" | "until"> {
  return {
    from: timeOption("--from", from, now).toISOString(),
    until: timeOption("--until", until, now).toISOString(),
  };
}

function remove(host: Host): Command {
  return host.does<Consent>(
    confirmed(one("delete", "Deletes a schedule. Its runs continue.", "schedule delete nightly")),
    async ({ session, args: [id = ""], options }) => {
      await consent(session, "delete", options);
      await (await session.client()).schedule(id).delete();
    },
  );
}

interface OneCall {
  readonly session: Session;
  readonly args: readonly (string | undefined)[];
  readonly options: Consent;
}

async function act(
  { session, args: [id = ""], options }: OneCall,
  verb: string,
  change: (handle: ScheduleHandle) => Promise<ScheduleRecord>,
): Promise<void> {
  await consent(session, verb, options);
  await print(session, await change((await session.client()).schedule(id)));
}

/** A command about one schedule. */
function one(name: string, description: string, example: string): Command {
  return new Command(name)
    .description(description)
    .argument("<id>", "the id of the schedule")
    .addHelpText("after", examples(example));
}

function confirmed(command: Command): Command {
  return command.option("--confirm <profile>", "the name of a protected profile, in place of typing it");
}

/** Each change starts or stops runs, so a protected profile is asked for. */
async function consent(session: Session, verb: string, options: Consent): Promise<void> {
  const what = { verb: `${verb} the schedule for`, isDestructive: true };
  await checkConsent(session, what, options);
  await askConsent(session, what, { ids: [""], where: undefined }, options);
}

function examples(...commands: readonly string[]): string {
  return `\nExamples:\n${commands.map((command) => `  $ holdfast ${command}`).join("\n")}`;
}
