/**
 * `holdfast start`: starts a run, and waits for it or follows it.
 */
import type { Client, RunHandle, TriggerOptions } from "@holdfast/workflows/client";
import { Command } from "commander";
import { sayIfCollected, triggerWithNewId, untilItExists } from "../collected.ts";
import { type ExitCode, UsageError } from "../exit.ts";
import { safe } from "../output/safe-text.ts";
import { readInput } from "../select/input.ts";
import { exitOf, printRun, waitAndPrint, whileItRuns } from "../show-run.ts";
import type { Session } from "../session.ts";
import { Follower } from "../tail/follow.ts";
import type { Verb } from "../verb.ts";

interface Options {
  readonly input?: string;
  readonly id?: string;
  readonly key?: string;
  readonly tag?: readonly string[];
  readonly delay?: string;
  readonly budget?: string;
  readonly workflowVersion?: string;
  readonly environment?: string;
  readonly wait?: true;
  readonly follow?: true;
  readonly timeout?: string;
}

export const start: Verb = (host) =>
  host.does<Options>(
    new Command("start")
      .description("Starts a run. The server checks the input against the workflow's schema when the run starts.")
      .argument("<workflow>", "the id of a workflow")
      .option("-i, --input <json>", "the input: JSON, @FILE, or - for stdin")
      .option("--id <id>", "the run's id: a repeated start finds the same run")
      .option("--key <key>", "an idempotency key: one key stands for one run")
      .option("--tag <tag...>", "add tags")
      .option("--delay <duration>", "start later: 30s, 5m, 2h, 7d")
      .option("--budget <duration>", "the run's time budget")
      .option("--workflow-version <version>", "the version of the workflow")
      .option("--environment <name>", "the environment of the run (scope admin)")
      .option("--wait", "wait for the end: exit 1 if the run fails")
      .option("--follow", "show the run live until its end: exit 1 if it fails")
      .option("--timeout <duration>", "stop waiting after this time, and exit 6; the run continues")
      .addHelpText("after", EXAMPLES),
    async ({ session, args: [workflow = ""], options }): Promise<ExitCode | undefined> => {
      if (options.timeout !== undefined && options.wait !== true && options.follow !== true)
        throw new UsageError("--timeout limits a wait: add --wait or --follow. The run's own limit is --budget.");
      const input = await readInput(session.io, options.input);
      const client = await session.client();
      const run = await session.notes.progress(
        () => safe`Waiting for the server`,
        () =>
          session.within(options.timeout, (signal) => {
            const settings = { ...settingsOf(options), signal };
            return options.id === undefined && options.key === undefined
              ? triggerWithNewId(client, workflow, input, settings, session.io.now())
              : client.trigger(workflow, input, settings);
          }),
      );
      const waits = options.follow === true || options.wait === true;
      if (sayIfCollected(session, run) && waits) await untilItExists(session, run, options.timeout);
      if (options.follow === true) return followAndReport(session, client, run, options.timeout);
      if (options.wait === true) return waitAndPrint(session, run, options.timeout);
      await printRun(session, run.record ?? (await run.get()));
      return undefined;
    },
  );

function settingsOf(options: Options): TriggerOptions {
  const { id, key, tag, delay, budget, workflowVersion, environment } = options;
  return {
    runId: id,
    idempotencyKey: key,
    tags: tag,
    delay: delay as TriggerOptions["delay"],
    timeout: budget as TriggerOptions["timeout"],
    workflowVersion,
    environment,
  };
}

async function followAndReport(
  session: Session,
  client: Client,
  run: RunHandle,
  timeout: string | undefined,
): Promise<ExitCode> {
  await whileItRuns(session, run.id, timeout, (signal) =>
    new Follower(session, client, { from: "start", children: true, signal }).follow(run.id),
  );
  return exitOf(session, await run.ended({ view: "result" }));
}

const EXAMPLES = `
Examples:
  $ holdfast start order --input '{ "orderId": "o-1", "cents": 4200 }'
  $ holdfast start order --input @order.json --id order-1 --wait --timeout 5m
  $ holdfast start order --input @order.json --follow
  $ jq .order data.json | holdfast start order --input - --output id`;
