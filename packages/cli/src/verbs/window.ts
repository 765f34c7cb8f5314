/**
 * `holdfast window`: what a workflow with debounce or batch has collected, and what operators change (WIN6).
 */
import type { WindowHandle, WindowRecord } from "@holdfast/workflows/client";
import { Command } from "commander";
import { askConsent, checkConsent } from "../act/consent.ts";
import type { SelectOptions } from "../act/selection.ts";
import { safe } from "../output/safe-text.ts";
import { instant } from "../output/times.ts";
import type { Host, Verb } from "../verb.ts";

type Consent = Pick<SelectOptions, "confirm">;

export const window: Verb = (host) =>
  new Command("window")
    .description("Shows what a workflow with debounce or batch collects, and starts or cancels it.")
    .addCommand(show(host))
    .addCommand(change(host, "fire", "Starts the run now, with what was collected.", (one) => one.fire()))
    .addCommand(change(host, "cancel", "Forgets the triggers. Their run never exists.", (one) => one.cancel()));

function place(command: Command): Command {
  return command.argument("<workflow>", "the id of the workflow").argument("[key]", "the key, if the window has one");
}

function show(host: Host): Command {
  return host.does(
    place(new Command("show").description("Shows the run that the triggers become, and when it starts.")).addHelpText(
      "after",
      examples("show"),
    ),
    async ({ session, args: [workflow = "", key] }) => {
      const found = await (await session.client()).window(workflow, key).get();
      await session.out.item(found, ({ runId }) => runId, lines);
    },
  );
}

function lines({ workflowId, key, runId, state, startsAt, count }: WindowRecord): ReturnType<typeof safe>[] {
  const of = key === undefined ? safe`${workflowId}` : safe`${workflowId} ${key}`;
  const triggers = count === undefined ? safe`` : safe`, ${count} ${count === 1 ? "trigger" : "triggers"}`;
  return [safe`${of}: ${state}${triggers}`, safe`  run ${runId}  at ${instant(startsAt)}`];
}

function change(
  host: Host,
  verb: "fire" | "cancel",
  description: string,
  act: (window: WindowHandle) => Promise<WindowRecord>,
): Command {
  return host.does<Consent>(
    place(new Command(verb).description(description))
      .option("--confirm <profile>", "the name of a protected profile, in place of typing it")
      .addHelpText("after", examples(verb)),
    async ({ session, args: [workflow = "", key], options }) => {
      const asked = { verb: `${verb} the window for`, isDestructive: true };
      await checkConsent(session, asked, options);
      await askConsent(session, asked, { ids: [""], where: undefined }, options);
      const changed = await act((await session.client()).window(workflow, key));
      await session.out.item(changed, ({ runId }) => runId, lines);
    },
  );
}

function examples(verb: string): string {
  return `\nExamples:\n  $ holdfast window ${verb} reindex d-1\n  $ holdfast window ${verb} insert`;
}
