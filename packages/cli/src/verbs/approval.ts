/**
 * `holdfast approval`: lists, shows and answers what people are asked (ASK1).
 *
 * Owns: which ask of a run is meant, the choice by its label, and where an answer does not fit. The question and the answer
 * are shown before a person agrees.
 */
import type { AnswerIssue, Approval, Ask, Delivery, RunOverview } from "@holdfast/workflows/client";
import { Command, Option } from "commander";
import { askConsent, askYes, checkConsent, refuse } from "../act/consent.ts";
import { EXIT, Reported, UsageError, asApiFailure, describeError } from "../exit.ts";
import { approvalLines, approvalShape } from "../output/approval-text.ts";
import { markedJson } from "../output/marked-json.ts";
import { safe, safeJson } from "../output/safe-text.ts";
import { parseDuration } from "../output/times.ts";
import { readInput } from "../select/input.ts";
import type { Session } from "../session.ts";
import type { Call, Host, Verb } from "../verb.ts";

export const approval: Verb = (host) =>
  new Command("approval")
    .description("Lists, shows and answers what workflows ask people.")
    .addCommand(listApprovals(host))
    .addCommand(show(host))
    .addCommand(answer(host));

interface ListOptions {
  readonly assignee?: string;
  readonly within?: string;
  readonly columns?: string;
}

function listApprovals(host: Host): Command {
  return host.does<ListOptions>(
    new Command("list")
      .description("Lists the open asks of all runs, the earliest deadline first.")
      .option("--assignee <name>", "only those that name this person or role, such as role:finance")
      .option("--within <duration>", "only those whose deadline is within this time")
      .option("--columns <names>", `the columns of the table: ${COLUMNS}`)
      .addHelpText(
        "after",
        `
Examples:
  $ holdfast approval list
  $ holdfast approval list --assignee role:finance --within 1d`,
      ),
    async ({ session, options: { assignee, within, columns } }) => {
      const { io, out, notes } = session;
      const before = within === undefined ? undefined : io.now() + durationOf(within);
      const client = await session.client();
      await notes.progress(
        () => safe`Waiting for the server`,
        () => out.rows(client.approvals({ assignee, before }), approvalShape(io.now()), columns),
      );
    },
  );
}

const COLUMNS = approvalShape(0)
  .columns.map(({ name }) => name)
  .join(", ");

function durationOf(text: string): number {
  const ms = parseDuration(text);
  if (ms !== undefined) return ms;
  throw new UsageError(`--within: ${JSON.stringify(text)} is not a duration, such as 30m, 2h or 7d.`);
}

function show(host: Host): Command {
  return host.does(
    withAsk(new Command("show").description("Shows what a run asks, and what may be answered.")).addHelpText(
      "after",
      `
Examples:
  $ holdfast approval show review-1`,
    ),
    async ({ session, args: [id = "", token] }) => {
      const found = await findAsk(session, id, token);
      const { out, io } = session;
      await out.item(
        found,
        ({ runId }) => runId,
        (one) => approvalLines(one, { paint: out.paint, width: out.width, now: io.now() }),
      );
    },
  );
}

function withAsk(command: Command): Command {
  return command
    .argument("<run>", "the id of the run")
    .argument("[token]", "the id of the token: needed if the run asks several things");
}

interface AnswerOptions {
  readonly payload?: string;
  readonly choice?: string;
  readonly yes?: true;
  readonly confirm?: string;
}

const ANSWER = { verb: "answer", isDestructive: true };

/** The API's answer to an answer. */
interface Answered {
  readonly delivery: Delivery;
  readonly run: { readonly id: string };
}

function answer(host: Host): Command {
  return host.does<AnswerOptions>(
    withAsk(new Command("answer").description("Answers what a run asks. An answer is final."))
      .addOption(new Option("-p, --payload <json>", "the answer: JSON, @FILE, or - for stdin").conflicts("choice"))
      .option("-c, --choice <label>", "the answer: one of the choices, by its label")
      .option("-y, --yes", "do not ask")
      .option("--confirm <profile>", "the name of a protected profile, in place of typing it")
      .addHelpText(
        "after",
        `
Examples:
  $ holdfast approval answer review-1 --choice Approve
  $ holdfast approval answer review-1 tok_123 --payload '{ "ok": true }' --yes`,
      ),
    sendAnswer,
  );
}

async function sendAnswer({ session, args: [id = "", token], options }: Call<AnswerOptions>): Promise<void> {
  const { payload: given, choice } = options;
  if (given === undefined && choice === undefined)
    throw new UsageError(
      `Give an answer: --payload JSON or --choice LABEL. What is asked: holdfast approval show ${id}`,
    );
  await checkConsent(session, ANSWER, options);
  const payload = await readInput(session.io, given, "--payload");
  const run = (await session.client()).run(id);
  // Who answered a token before is what the API says of it.
  const ask = await findAsk(session, id, token, token !== undefined && choice === undefined);
  const value = choice === undefined || ask === undefined ? payload : valueOf(ask, choice);
  const tokenId = token ?? ask?.tokenId;
  if (tokenId === undefined) {
    session.notes.error([safe`An answer needs a token with the scope deliver.`]);
    throw new Reported(EXIT.unauthorized);
  }
  await agree(session, id, ask, value, options);
  const delivery = await send(session, () => run.resolveToken(tokenId, value), value);
  await session.out.rows<Answered>([{ delivery, run: { id } }], {
    id: () => id,
    empty: "",
    columns: [
      { name: "id", cell: () => id },
      { name: "delivery", cell: () => delivery, style: () => "green" },
    ],
  });
}

/** Shows the question with the answer, and asks a person who has not agreed already. */
async function agree(
  session: Session,
  id: string,
  ask: Approval | undefined,
  value: unknown,
  options: AnswerOptions,
): Promise<void> {
  const { notes } = session;
  if (session.canAsk) {
    const risk = ask?.risk === undefined ? "" : ` (risk: ${ask.risk})`;
    notes.say(safe`${notes.paint("bold", ask?.title ?? "A token that waits for an answer no more")}${risk}`);
    notes.say(safe`Answer: ${safeJson(value)}`);
  }
  await askConsent(session, ANSWER, { ids: [id], where: undefined }, options);
  if (!session.canAsk || options.yes === true || options.confirm !== undefined) return;
  if (!(await askYes(session, `Answer ${id}?`))) refuse(session, "Nothing was answered.");
}

/** Sends the answer. What does not fit is shown at its place. @throws Reported */
async function send(session: Session, request: () => Promise<Delivery>, value: unknown): Promise<Delivery> {
  try {
    return await session.notes.progress(() => safe`Waiting for the server`, request);
  } catch (error) {
    const failure = asApiFailure(error);
    if (failure?.code !== "invalid_answer") throw error;
    const { issues = [] } = (failure.details ?? {}) as { readonly issues?: readonly AnswerIssue[] };
    const [head = safe``] = describeError(error);
    session.notes.error([
      head,
      ...markedJson(value ?? null, issues).map((line) => safe`  ${line}`),
      safe`The ask is still open. Answer again.`,
    ]);
    throw new Reported(EXIT.usage);
  }
}

function valueOf({ choices = [], runId }: Ask & Pick<Approval, "runId">, label: string): unknown {
  const same = choices.filter((choice) => choice.label === label);
  const alike = choices.filter((choice) => choice.label.toLowerCase() === label.toLowerCase());
  const [found, ...others] = same.length > 0 ? same : alike;
  if (found !== undefined && others.length === 0) return found.value;
  const labels = choices.map((choice) => JSON.stringify(choice.label)).join(", ");
  throw new UsageError(
    choices.length === 0
      ? `${runId} offers no choices. Give the answer as JSON: --payload`
      : `There is no choice ${JSON.stringify(label)}. The choices are: ${labels}.`,
  );
}

/** Finds the ask of a run that is meant. @throws UsageError if there are several; Reported if there is none */
async function findAsk(session: Session, id: string, token: string | undefined): Promise<Approval>;
async function findAsk(
  session: Session,
  id: string,
  token: string | undefined,
  mayBeGone: boolean,
): Promise<Approval | undefined>;
async function findAsk(
  session: Session,
  id: string,
  token: string | undefined,
  mayBeGone = false,
): Promise<Approval | undefined> {
  const asks = asksOf(await (await session.client()).run(id).get({ view: "summary" }));
  const [found, ...others] = token === undefined ? asks : asks.filter(({ tokenId }) => tokenId === token);
  if (others.length > 0) {
    const tokens = asks.map(({ tokenId, title }) => `\n  ${tokenId ?? "(needs the scope deliver)"}  ${title}`).join("");
    throw new UsageError(`The run ${id} asks ${asks.length} things. Give the token of one:${tokens}`);
  }
  if (found !== undefined || mayBeGone) return found;
  session.notes.error(
    token === undefined
      ? [safe`The run ${id} asks nothing now.`, safe`Tokens without a question: holdfast token list ${id}`]
      : [safe`The run ${id} asks nothing with the token ${token}.`, safe`What it asks: holdfast approval show ${id}`],
  );
  throw new Reported(EXIT.notFound);
}

/** The asks of a run in the form of the list. */
function asksOf({ id, workflowId, pendingWaitpoints = [] }: Partial<RunOverview>): readonly Approval[] {
  return pendingWaitpoints.flatMap(({ id: op, meta, wakeAt }) => {
    const { ask, tokenId, openedAt } = meta as {
      readonly ask?: Ask;
      readonly tokenId?: string;
      readonly openedAt?: number;
    };
    if (ask === undefined) return [];
    const { assignees = [], ...rest } = ask;
    return [
      {
        runId: id ?? "",
        workflowId: workflowId ?? "",
        op,
        ...(tokenId === undefined ? {} : { tokenId }),
        ...rest,
        assignees,
        openedAt: openedAt ?? 0,
        ...(wakeAt === undefined ? {} : { until: wakeAt }),
      },
    ];
  });
}
