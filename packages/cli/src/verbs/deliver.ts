/**
 * The verbs that deliver something to runs: signal, token answer, and the part of `event send` that names runs.
 */
import type { Delivery, RunHandle, Waitpoint } from "@holdfast/workflows/client";
import { Command } from "commander";
import { actOnRuns } from "../act/act.ts";
import { type SelectOptions, addSelection } from "../act/selection.ts";
import { type ExitCode, UsageError } from "../exit.ts";
import type { RowShape } from "../output/printer.ts";
import { ago } from "../output/times.ts";
import { readInput } from "../select/input.ts";
import type { Call, Host, Verb } from "../verb.ts";

export interface DeliverOptions extends SelectOptions {
  readonly input?: string;
  readonly deliveryId?: string;
}

/** The API's answer to a delivery. */
interface Delivered {
  readonly delivery: Delivery;
  readonly run: { readonly id: string };
}

const deliveredShape: RowShape<Delivered> = {
  id: ({ run }) => run.id,
  empty: "No run matches.",
  columns: [
    { name: "id", cell: ({ run }) => run.id },
    {
      name: "delivery",
      cell: ({ delivery }) => delivery,
      style: ({ delivery }) => (delivery === "resolved" ? "green" : "yellow"),
    },
  ],
};

export const signal: Verb = (host) =>
  delivers(
    host,
    new Command("signal").description(
      "Sends a signal to runs. resolved: a wait took it; buffered: it is stored for a later wait; duplicate: it was accepted before.",
    ),
    ["signal", "the name of the signal", "NAME"],
  ).addHelpText(
    "after",
    `
Examples:
  $ holdfast signal order-1 approval --input '{ "ok": true }'
  $ holdfast signal approval --where 'workflow:order status:waiting' --input @approval.json`,
  );

/** `alone`: handles a call without runs, and returns whether it was one. */
export function delivers<O extends DeliverOptions>(
  host: Host,
  command: Command,
  [kind, what, name]: readonly ["signal" | "event", string, string],
  alone: (call: Call<O>) => Promise<boolean> = async () => false,
): Command {
  const selecting = addSelection(command, "act", "[ids...]")
    .usage(`[options] <ids...> <${name.toLowerCase()}>`)
    .option("-i, --input <json>", "the payload: JSON, @FILE, or - for stdin")
    .option("--delivery-id <id>", "repeated deliveries with this id count once");
  selecting.registeredArguments[0]!.description = `ids of runs, then ${what}`;
  return host.does<O>(selecting, async (call: Call<O>): Promise<ExitCode | undefined> => {
    if (await alone(call)) return undefined;
    const { session, rest, options } = call;
    const label = rest.at(-1);
    if (label === undefined || (options.where === undefined && rest.length < 2))
      throw new UsageError(
        `Give ids of runs, or --where, and then ${what}.${kind === "event" ? " The name alone sends the event to all that wait for it." : ""}`,
      );
    const payload = await readInput(session.io, options.input);
    const settings = { deliveryId: options.deliveryId };
    const ids = rest.slice(0, -1);
    if (ids[0] === "-" && options.input === "-") throw new UsageError("Only one of the ids and --input can be stdin.");
    const verb = kind === "signal" ? "signal" : "send an event to";
    return actOnRuns(
      session,
      { verb, ids, options },
      async (client, id) => {
        const run = client.run(id);
        const delivery = await (kind === "signal"
          ? run.signal(label, payload, settings)
          : run.event(label, payload, settings));
        return { delivery, run: { id } };
      },
      deliveredShape,
    );
  });
}

interface AnswerOptions {
  readonly input?: string;
}

export const token: Verb = (host) =>
  new Command("token")
    .description("Lists and answers the tokens of a run.")
    .addCommand(answer(host))
    .addCommand(listTokens(host));

function answer(host: Host): Command {
  return host.does<AnswerOptions>(
    new Command("answer")
      .description("Answers a token of a run. Without a token id, the run must wait for exactly one.")
      .argument("<id>", "the id of the run")
      .argument("[token]", "the id of the token")
      .option("-i, --input <json>", "the payload: JSON, @FILE, or - for stdin")
      .addHelpText(
        "after",
        `
Examples:
  $ holdfast token answer review-1 --input '{ "ok": true }'
  $ holdfast token answer review-1 tok_123 --input @answer.json`,
      ),
    async ({ session, args: [id = "", given], options }) => {
      const payload = await readInput(session.io, options.input);
      const run = (await session.client()).run(id);
      const tokenId = given ?? onlyToken(id, await openTokens(run));
      const delivery = await run.resolveToken(tokenId, payload);
      await session.out.rows([{ delivery, run: { id } }], deliveredShape);
    },
  );
}

function listTokens(host: Host): Command {
  return host.does(
    new Command("list")
      .description("Lists the open tokens of a run. Their ids need the scope deliver.")
      .argument("<id>", "the id of the run")
      .addHelpText("after", `\nExamples:\n  $ holdfast token list review-1`),
    async ({ session, args: [id = ""] }) => {
      const now = session.io.now();
      await session.out.rows(await openTokens((await session.client()).run(id)), {
        id: (wait) => tokenIdOf(wait) ?? "",
        empty: "This run waits for no token.",
        columns: [
          { name: "token", cell: (wait) => tokenIdOf(wait) ?? "(needs the scope deliver)" },
          { name: "opened", cell: ({ meta }) => ago(Number(meta["openedAt"]), now), align: "right" },
          { name: "expires", cell: ({ wakeAt }) => ago(wakeAt, now), align: "right" },
        ],
      });
    },
  );
}

async function openTokens(run: RunHandle): Promise<readonly Waitpoint[]> {
  return (await run.get({ view: "summary" })).pendingWaitpoints.filter(({ kind }) => kind === "MANUAL");
}

function tokenIdOf({ meta }: Waitpoint): string | undefined {
  return typeof meta["tokenId"] === "string" ? meta["tokenId"] : undefined;
}

function onlyToken(id: string, tokens: readonly Waitpoint[]): string {
  const [first, ...others] = tokens.map(tokenIdOf);
  if (first !== undefined && others.length === 0) return first;
  const what = tokens.length === 0 ? "waits for no token" : `waits for ${tokens.length} tokens`;
  throw new UsageError(`The run ${id} ${what}. Give the id of one: holdfast token list ${id}`);
}
