/**
 * The verbs that change the life of runs: cancel, terminate, pause, unpause, retry, resume, delete.
 */
import type { ListedRun, RunHandle } from "@holdfast/workflows/client";
import { Command } from "commander";
import { type Acting, actOnRuns } from "../act/act.ts";
import { type SelectOptions, addSelection } from "../act/selection.ts";
import { UsageError } from "../exit.ts";
import type { RowShape } from "../output/printer.ts";
import { statusMark, statusStyle } from "../output/colours.ts";
import { readInput } from "../select/input.ts";
import { newRunId } from "../select/new-id.ts";
import type { Call, Host, Verb } from "../verb.ts";

/** What an act leaves of a run: what the caller may see of it, or its id alone after a delete. */
type Changed = Pick<ListedRun, "id"> & Partial<Omit<ListedRun, "why">>;

const changedShape: RowShape<Changed> = {
  id: ({ id }) => id,
  empty: "No run matches.",
  columns: [
    { name: "id", cell: ({ id }) => id },
    {
      name: "status",
      cell: ({ status = "deleted" }) => `${statusMark(status).text} ${status}`,
      style: ({ status = "deleted" }) => statusStyle(status),
    },
    { name: "workflow", cell: ({ workflowId }) => workflowId ?? "", optional: true },
  ],
};

type Operate<Options> = (run: RunHandle, options: Options) => Promise<Changed>;

/** A verb whose work needs nothing but the run and the options. */
function operates<Options extends SelectOptions>(
  host: Host,
  command: Command,
  act: Pick<Acting, "verb" | "isDestructive">,
  operate: Operate<Options>,
): Command {
  return host.does<Options>(command, ({ session, rest, options }: Call<Options>) =>
    actOnRuns(session, { ...act, ids: rest, options }, (client, id) => operate(client.run(id), options), changedShape),
  );
}

interface Reason extends SelectOptions {
  readonly reason?: string;
}

export const cancel: Verb = (host) =>
  operates<Reason>(
    host,
    addSelection(new Command("cancel").description("Cancels runs. Each is compensated first, if it has steps to undo."))
      .option("--reason <text>", "is stored with the run")
      .addHelpText(
        "after",
        examples("cancel order-1 --reason 'sold out'", "cancel --where 'workflow:order status:waiting' --dry-run"),
      ),
    { verb: "cancel", isDestructive: true },
    (run, { reason }) => run.cancel(reason),
  );

export const terminate: Verb = (host) =>
  operates<Reason>(
    host,
    addSelection(
      new Command("terminate").description(
        "Ends runs at once, without their code: nothing is compensated. Try cancel first.",
      ),
    )
      .requiredOption("--reason <text>", "is stored with the run")
      .addHelpText("after", examples("terminate order-1 --reason 'its process hangs'")),
    { verb: "terminate", isDestructive: true },
    (run, { reason = "" }) => run.terminate(reason),
  );

export const pause: Verb = (host) =>
  operates<Reason>(
    host,
    addSelection(new Command("pause").description("Pauses runs until they are unpaused."))
      .option("--reason <text>", "is stored with the run")
      .addHelpText(
        "after",
        examples("pause order-1 --reason 'new prices'", "pause --where 'workflow:order status:running'"),
      ),
    { verb: "pause" },
    (run, { reason }) => run.pause({ reason }),
  );

export const unpause: Verb = (host) =>
  operates(
    host,
    addSelection(new Command("unpause").description("Continues runs that an operator paused.")).addHelpText(
      "after",
      examples("unpause order-1", "unpause --where 'workflow:order status:paused'"),
    ),
    { verb: "unpause" },
    (run) => run.unpause(),
  );

export const retry: Verb = (host) =>
  operates(
    host,
    addSelection(
      new Command("retry").description("Continues runs that the engine paused, once the cause is fixed."),
    ).addHelpText("after", examples("retry order-1", "retry --where status:paused --rate 20/s")),
    { verb: "retry" },
    (run) => run.retry(),
  );

export const deleteRuns: Verb = (host) =>
  operates(
    host,
    addSelection(new Command("delete").description("Deletes ended runs with all their data.")).addHelpText(
      "after",
      examples("delete order-1", "delete --where 'status:completed created:<30d' --rate 50/s"),
    ),
    { verb: "delete", isDestructive: true },
    async (run) => {
      await run.delete();
      return { id: run.id };
    },
  );

interface Resume extends SelectOptions {
  readonly step?: string;
  readonly occurrence?: string;
  readonly id?: string;
  readonly input?: string;
  readonly seed?: string;
  readonly tag?: readonly string[];
  readonly workflow?: string;
}

export const resume: Verb = (host) =>
  host.does<Resume>(
    addSelection(
      new Command("resume").description(
        "Starts a new run from an ended one. It takes over the results of the steps before the one that executes again.",
      ),
    )
      .option("--step <name>", "the first step that executes again; by default the one that failed")
      .option("--occurrence <number>", "which use of this step's name, from 0")
      .option("--id <id>", "the id of the new run: a repeated resume finds the same run")
      .option("-i, --input <json>", "another input: JSON, @FILE, or - for stdin")
      .option("--seed <json>", "results of steps, by name, whose bodies do not run: JSON, @FILE, or -")
      .option("--tag <tag...>", "other tags")
      .option("--workflow <id>", "the workflow, if the server does not have the ended run")
      .addHelpText("after", examples("resume order-1", "resume order-1 --step charge --input @fixed.json")),
    async ({ session, rest, options }) => {
      const settings = await resumeOptions({ session, rest, args: [], options });
      const work: Parameters<typeof actOnRuns<Changed>>[2] = async (client, id) => {
        const run = await client.run(id).resume({ ...settings, runId: options.id ?? newRunId(session.io.now()) });
        return run.record ?? run.get();
      };
      return actOnRuns(session, { verb: "resume", ids: rest, options }, work, changedShape);
    },
  );

async function resumeOptions({ session, rest, options }: Call<Resume>) {
  const { step, occurrence, id, tag, workflow } = options;
  if (id !== undefined && (options.where !== undefined || rest.length !== 1 || rest[0] === "-"))
    throw new UsageError("--id is the id of one new run: give the id of one ended run.");
  if (occurrence !== undefined && (step === undefined || !/^\d{1,9}$/.test(occurrence)))
    throw new UsageError("--occurrence is a number, and needs --step.");
  if (options.input === "-" && options.seed === "-")
    throw new UsageError("Only one of --input and --seed can be stdin.");
  const [input, seed] = [
    await readInput(session.io, options.input),
    await readInput(session.io, options.seed, "--seed"),
  ];
  if (seed !== undefined && (typeof seed !== "object" || seed === null || Array.isArray(seed)))
    throw new UsageError('--seed must be a JSON object, such as { "charge": { "id": "ch_1" } }.');
  const from = step === undefined || occurrence === undefined ? step : { name: step, occurrence: Number(occurrence) };
  return {
    input,
    resumeFromStep: from,
    seedResults: seed as Readonly<Record<string, unknown>> | undefined,
    tags: tag,
    workflowId: workflow,
  };
}

function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ holdfast ${line}`).join("\n")}`;
}
