/**
 * `holdfast event`: sends events, and shows what events did.
 *
 * Owns: the two forms of `send`: to runs by their ids, and to the triggers and waits that want an event of this name (EVT1).
 */
import type {
  AcceptedEvent,
  EventRecord,
  EventTarget,
  ListedEvent,
  ReplayedEvent,
  TestedEvent,
} from "@holdfast/workflows/client";
import { Command, Option } from "commander";
import { askConsent, checkConsent } from "../act/consent.ts";
import type { SelectOptions } from "../act/selection.ts";
import { UsageError } from "../exit.ts";
import type { RowShape } from "../output/printer.ts";
import { type Text, safe } from "../output/safe-text.ts";
import { instant } from "../output/times.ts";
import { readInput } from "../select/input.ts";
import { timeOption } from "../select/moments.ts";
import type { Call, Host, Verb } from "../verb.ts";
import { type DeliverOptions, delivers } from "./deliver.ts";

interface SendOptions extends DeliverOptions {
  readonly key?: string;
  readonly id?: string;
}

const events: RowShape<ListedEvent> = {
  id: ({ id }) => id,
  empty: "No event was sent.",
  columns: [
    { name: "id", cell: ({ id }) => id },
    { name: "name", cell: ({ name }) => name },
    { name: "key", cell: ({ key }) => key ?? "", optional: true },
    { name: "received", cell: ({ receivedAt }) => instant(receivedAt) },
    { name: "targets", cell: ({ targets }) => countsOf(targets) },
    { name: "by", cell: ({ by }) => by, optional: true },
  ],
};

export const event: Verb = (host) =>
  new Command("event")
    .description("Sends events, and shows what they did.")
    .addCommand(send(host))
    .addCommand(list(host))
    .addCommand(show(host))
    .addCommand(test(host))
    .addCommand(replay(host))
    .addCommand(replayAll(host));

function send(host: Host): Command {
  const command = new Command("send")
    .description(
      "Sends an event. With ids of runs, or --where, it goes to these runs. With a name alone it goes to the triggers of workflows, and with its key to the waits for it.",
    )
    .option("--key <key>", "of an event without runs: the key of the waits that get it")
    .option("--id <id>", "of an event without runs: the same id has no effect again");
  return delivers<SendOptions>(host, command, ["event", "the name of the event", "NAME"], publish).addHelpText(
    "after",
    examples(
      `event send order.paid --key o-7 --input '{ "orderId": "o-7" }'`,
      `event send order-1 stock.changed --input '{ "left": 3 }'`,
      `event send stock.changed --where 'workflow:order' --input @stock.json`,
    ),
  );
}

/** Sends an event that is addressed to no run. Returns false if the arguments name runs. */
async function publish({ session, rest, options }: Call<SendOptions>): Promise<boolean> {
  const { key, id, input, where } = options;
  const [name] = rest;
  if (rest.length !== 1 || name === undefined || where !== undefined) {
    if (key !== undefined || id !== undefined) throw new UsageError("--key and --id need the name of an event alone.");
    return false;
  }
  const data = (await readInput(session.io, input)) ?? null;
  const accepted = await (await session.client()).sendEvent(name, data, { key, id });
  await session.out.item(accepted, ({ eventId }) => eventId, acceptedLines);
  if (accepted.targets.length === 0) session.notes.warn(noTarget(name));
  return true;
}

/** An event with a key always has a target: the waits for the key, also later ones. */
function noTarget(name: string): Text {
  return safe`The event does nothing: no trigger matched ("holdfast event test ${name}" says why), and it has no key. To reach runs that wait for it, send --key, or list the event in "events" of their workflow, so that the server finds the key in the data.`;
}

function acceptedLines({ eventId, state, targets }: AcceptedEvent): Text[] {
  return [safe`${eventId}: ${state}, ${countsOf(targets)}`, ...targets.map(targetLine)];
}

function countsOf(targets: readonly EventTarget[]): string {
  const counts = new Map<string, number>();
  for (const { state } of targets) counts.set(state, (counts.get(state) ?? 0) + 1);
  return [...counts].map(([state, count]) => `${count} ${state}`).join(", ") || "no target";
}

function targetLine({ trigger, workflowId, runId, topic, state, code }: EventTarget): Text {
  const why = code === undefined ? "" : ` (${code})`;
  if (topic !== undefined) return safe`  waits for the key ${topic}: ${state}${why}`;
  return safe`  trigger ${trigger ?? ""} of ${workflowId ?? ""}: ${state}${why}  ${runId ?? ""}`;
}

function list(host: Host): Command {
  return host.does<{ readonly columns?: string }>(
    new Command("list")
      .description("Lists the newest events with what became of their targets, the newest first.")
      .argument("[name]", "only events of this name")
      .option("--columns <names>", `the columns of the table: ${events.columns.map(({ name }) => name).join(", ")}`)
      .addHelpText("after", examples("event list", "event list order.paid")),
    async ({ session, args: [name], options: { columns } }) => {
      const found = (await session.client()).events(name === undefined ? {} : { name });
      await session.out.rows(found, events, columns);
    },
  );
}

function show(host: Host): Command {
  return host.does(
    new Command("show")
      .description("Shows an event: what it did, and why triggers did not match.")
      .argument("<id>", "the id of the event")
      .addHelpText("after", examples("event show 01JZ0000000000000000000000")),
    async ({ session, args: [id = ""] }) => {
      const record = await (await session.client()).event(id).get();
      await session.out.item(record, (one) => one.id, recordLines);
    },
  );
}

function recordLines({ id, name, key, receivedAt, by, targets, unmatched, replays }: EventRecord): Text[] {
  return [
    safe`${id}: ${name}${key === undefined ? "" : ` with the key ${key}`}, received ${instant(receivedAt)} from ${by}`,
    ...targets.map(targetLine),
    ...unmatched.map((one) => safe`  trigger ${one.trigger} of ${one.workflowId} did not match: ${one.reason}`),
    ...replays.map(({ at, mode, by: who }) => safe`  replayed (${mode}) ${instant(at)} by ${who}`),
  ];
}

function test(host: Host): Command {
  return host.does<Pick<SendOptions, "input" | "key">>(
    new Command("test")
      .description("Says which triggers an event would match, and why others would not. It has no effect.")
      .argument("<name>", "the name of the event")
      .option("-i, --input <json>", "the data: JSON, @FILE, or - for stdin")
      .option("--key <key>", "the key")
      .addHelpText("after", examples(`event test order.paid --input '{ "cents": 100 }'`)),
    async ({ session, args: [name = ""], options: { input, key } }) => {
      const data = (await readInput(session.io, input)) ?? null;
      const tested = await (await session.client()).testEvent(name, data, { key });
      await session.out.item(tested, () => name, testedLines);
    },
  );
}

function testedLines({ matches, unmatched }: TestedEvent): Text[] {
  return [
    ...matches.map(({ trigger, workflowId }) => safe`matches trigger ${trigger} of ${workflowId}`),
    ...unmatched.map((one) => safe`not trigger ${one.trigger} of ${one.workflowId}: ${one.reason}`),
    ...(matches.length + unmatched.length === 0 ? [safe`No workflow has a trigger for this name.`] : []),
  ];
}

interface ReplayOptions extends Pick<SelectOptions, "confirm"> {
  readonly mode: "missing" | "force";
  readonly trigger?: readonly string[];
  readonly waits?: boolean;
}

function replay(host: Host): Command {
  return host.does<ReplayOptions>(
    new Command("replay")
      .description("Starts the runs of an event that are missing or failed, or with force all of them again.")
      .argument("<id>", "the id of the event")
      .addOption(new Option("--mode <mode>", "what is started").choices(["missing", "force"]).default("missing"))
      .option("--trigger <ids...>", "only these triggers")
      .option("--waits", "runs that wait for its key get it again")
      .option("--confirm <profile>", "the name of a protected profile, in place of typing it")
      .addHelpText("after", examples("event replay 01JZ0000000000000000000000 --mode force --trigger paid")),
    async ({ session, args: [id = ""], options }) => {
      const act = { verb: "replay the event for", isDestructive: true };
      await checkConsent(session, act, options);
      await askConsent(session, act, { ids: [""], where: undefined }, options);
      const { mode, trigger: triggers, waits } = options;
      const record = await (await session.client()).event(id).replay({ mode, triggers, waits });
      await session.out.item(record, (one) => one.id, recordLines);
    },
  );
}

interface ReplayAllOptions extends ReplayOptions {
  readonly from: string;
  readonly until?: string;
  readonly yes?: true;
  readonly columns?: string;
}

const replays: RowShape<ReplayedEvent> = {
  id: ({ id }) => id,
  empty: "No event of this name and time is in the list of the newest 1,000.",
  columns: [
    { name: "id", cell: ({ id }) => id },
    { name: "received", cell: ({ receivedAt }) => instant(receivedAt) },
    { name: "key", cell: ({ key }) => key ?? "", optional: true },
    { name: "starts", cell: ({ starts }) => String(starts.length), align: "right" },
    { name: "workflows", cell: ({ starts }) => starts.map(({ workflowId }) => workflowId).join(", "), optional: true },
  ],
};

function replayAll(host: Host): Command {
  return host.does<ReplayAllOptions>(
    new Command("replay-all")
      .description(
        "Replays the events of a name that were received in a time. Without --yes it only says what would start.",
      )
      .argument("<name>", "the name of the events")
      .requiredOption("--from <time>", "the first time: 2026-11-01, 2026-11-01T12:00Z, or how long ago, such as 2h")
      .option("--until <time>", "only events that were received before")
      .addOption(new Option("--mode <mode>", "what is started").choices(["missing", "force"]).default("missing"))
      .option("--trigger <ids...>", "only these triggers")
      .option("--waits", "runs that wait for their keys get them again")
      .option("--yes", "starts what the command prints without it")
      .option("--confirm <profile>", "the name of a protected profile, in place of typing it")
      .option("--columns <names>", `the columns of the table: ${replays.columns.map(({ name }) => name).join(", ")}`)
      .addHelpText("after", examples("event replay-all order.paid --from 2026-11-01 --yes")),
    async ({ session, args: [name = ""], options }) => {
      const { mode, trigger: triggers, waits, yes = false, columns } = options;
      const now = session.io.now();
      const from = timeOption("--from", options.from, now);
      const until = options.until === undefined ? undefined : timeOption("--until", options.until, now);
      const act = { verb: "replay the events for", isDestructive: true };
      if (yes) {
        await checkConsent(session, act, options);
        await askConsent(session, act, { ids: [""], where: undefined }, options);
      }
      const how = { name, from, until, mode, triggers, waits, dryRun: !yes };
      const count = await session.out.rows((await session.client()).replayEvents(how), replays, columns);
      if (count === 0) session.notes.say(safe`There is nothing to replay: no event of this name was received then.`);
      else if (!yes) session.notes.say(safe`Nothing was started. Repeat the command with --yes.`);
    },
  );
}

function examples(...commands: readonly string[]): string {
  return `\nExamples:\n${commands.map((command) => `  $ holdfast ${command}`).join("\n")}`;
}
