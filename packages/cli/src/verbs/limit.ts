/**
 * `holdfast limit`: who holds a limit and who waits for it, and what operators change.
 */
import type { LimitHandle, LimitRecord } from "@holdfast/workflows/client";
import { Command } from "commander";
import { askConsent, checkConsent } from "../act/consent.ts";
import type { SelectOptions } from "../act/selection.ts";
import { UsageError } from "../exit.ts";
import type { RowShape } from "../output/printer.ts";
import { safe } from "../output/safe-text.ts";
import { ago, instant } from "../output/times.ts";
import type { Session } from "../session.ts";
import type { Host, Verb } from "../verb.ts";

type Consent = Pick<SelectOptions, "confirm">;

const shape: RowShape<LimitRecord> = {
  id: ({ name, key }) => (key === undefined ? name : `${name} ${key}`),
  empty: "No run waits at a limit.",
  columns: [
    { name: "limit", cell: ({ name }) => name },
    { name: "key", cell: ({ key }) => key ?? "" },
    { name: "held", cell: ({ held, max }) => `${held} of ${max ?? "any"}`, align: "right" },
    { name: "queued", cell: ({ queued }) => String(queued), align: "right" },
    { name: "next", cell: ({ next }) => next ?? "", optional: true },
    { name: "state", cell: stateOf, optional: true },
  ],
};

function stateOf({ paused, override, holders }: LimitRecord): string {
  if (paused !== undefined) return "paused";
  if (holders.some(({ state }) => state === "unreachable")) return "unreachable holder";
  return override === undefined ? "" : "max overridden";
}

export const limit: Verb = (host) =>
  new Command("limit")
    .description("Shows who holds limits and who waits for them, and changes them.")
    .addCommand(listLimits(host))
    .addCommand(show(host))
    .addCommand(set(host))
    .addCommand(change(host, "clear", "Applies max of the code again.", (one) => one.setMax(null)))
    .addCommand(change(host, "pause", "Admits nobody. Who holds continues.", (one) => one.pause()))
    .addCommand(change(host, "unpause", "Admits runs again.", (one) => one.unpause()))
    .addCommand(kick(host));

function listLimits(host: Host): Command {
  return host.does<{ readonly columns?: string }>(
    new Command("list")
      .description("Lists limits at which runs wait, hold for a minute or longer, or that an operator changed.")
      .argument("[name]", "only the keys of this limit")
      .option("--columns <names>", `the columns of the table: ${shape.columns.map(({ name }) => name).join(", ")}`)
      .addHelpText("after", examples("limit list", "limit list customer")),
    async ({ session, args: [name], options: { columns } }) => {
      const limits = (await session.client()).limits(name === undefined ? {} : { name });
      await session.out.rows(limits, shape, columns);
    },
  );
}

/** A command about one limit. */
function place(command: Command): Command {
  return command.argument("<name>", "the name of the limit").argument("[key]", "the key, if the limit has one");
}

function show(host: Host): Command {
  return host.does(
    place(new Command("show").description("Shows the holders of a limit, and its queue.")).addHelpText(
      "after",
      examples("limit show customer c-42", "limit show openai"),
    ),
    async ({ session, args: [name = "", key] }) => {
      const { out, io } = session;
      const found = await (await session.client()).limit(name, key).get();
      await out.item(found, shape.id, (one) => lines(one, io.now()));
    },
  );
}

function lines(one: LimitRecord, now: number): ReturnType<typeof safe>[] {
  const { max, declaredMax, override, paused, rate, holders, queue, queued } = one;
  return [
    safe`${shape.id(one)}: ${one.held} of ${max ?? "any number"} held, ${queued} queued`,
    ...(override === undefined
      ? []
      : [safe`max is ${override.max} by ${override.by}; the code says ${declaredMax ?? "none"}`]),
    ...(paused === undefined ? [] : [safe`paused by ${paused.by} at ${instant(paused.at)}`]),
    ...(rate === undefined ? [] : [safe`rate: ${rate.limit} in ${rate.perMs} ms, burst ${rate.burst}`]),
    ...holders.map(({ runId, state, since }) => safe`  holds  ${runId}  ${state} since ${ago(since, now)}`),
    ...queue.map(({ runId, since }) => safe`  waits  ${runId}  since ${ago(since, now)}`),
  ];
}

interface Max extends Consent {
  readonly max: string;
}

function set(host: Host): Command {
  return host.does<Max>(
    confirmed(place(new Command("set").description("Sets max in place of that of the code, until it is cleared.")))
      .requiredOption("--max <number>", "how many runs may hold")
      .addHelpText("after", examples("limit set customer c-42 --max 5", "limit set openai --max 1")),
    async ({ session, args: [name = "", key], options }) => {
      if (!/^[1-9]\d{0,8}$/.test(options.max)) throw new UsageError("--max must be a whole number of at least 1.");
      await consent(session, "set", options);
      const client = await session.client();
      await print(session, await client.limit(name, key).setMax(Number(options.max)));
    },
  );
}

/** Prints a changed limit. A wrong name is a limit like any other, so only its emptiness can be noticed. */
async function print(session: Session, one: LimitRecord): Promise<void> {
  await session.out.rows([one], shape);
  const isChanged = one.override !== undefined || one.paused !== undefined;
  if (isChanged && one.declaredMax === null && one.rate === undefined && one.held + one.queued === 0)
    session.notes.warn(safe`No run has reached the limit ${shape.id(one)} yet. Check that your code has this name.`);
}

function change(
  host: Host,
  verb: string,
  description: string,
  act: (limit: LimitHandle) => Promise<LimitRecord>,
): Command {
  return host.does<Consent>(
    confirmed(place(new Command(verb).description(description))).addHelpText(
      "after",
      examples(`limit ${verb} customer c-42`),
    ),
    async ({ session, args: [name = "", key], options }) => {
      await consent(session, verb, options);
      await print(session, await act((await session.client()).limit(name, key)));
    },
  );
}

interface Kick extends Consent {
  readonly run: string;
}

function kick(host: Host): Command {
  return host.does<Kick>(
    confirmed(
      place(
        new Command("kick").description(
          "Cancels a run that waits or holds, and gives its place to the next at once: also if it does not answer.",
        ),
      ),
    )
      .requiredOption("--run <id>", "the id of the run")
      .addHelpText("after", examples("limit kick customer c-42 --run order-1")),
    async ({ session, args: [name = "", key], options }) => {
      await consent(session, "kick", options);
      await session.out.rows([await (await session.client()).limit(name, key).kick(options.run)], shape);
    },
  );
}

function confirmed(command: Command): Command {
  return command.option("--confirm <profile>", "the name of a protected profile, in place of typing it");
}

/** Each change stops or admits runs, so a protected profile is asked for. */
async function consent(session: Session, verb: string, options: Consent): Promise<void> {
  const act = { verb: `${verb} the limit for`, isDestructive: true };
  await checkConsent(session, act, options);
  await askConsent(session, act, { ids: [""], where: undefined }, options);
}

function examples(...commands: readonly string[]): string {
  return `\nExamples:\n${commands.map((command) => `  $ holdfast ${command}`).join("\n")}`;
}
