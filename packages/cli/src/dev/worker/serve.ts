/**
 * The part of the local Worker that does not depend on the entry. The bundle imports it beside the entry.
 *
 * Owns: the Worker that serves exported workflows, or the steps of a service; and the mark that attributes a line of the
 * console to the run whose code wrote it.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import {
  type LiveExecution,
  type StepDispatcher,
  createHttpDispatcher,
  createInlineDispatcher,
} from "@holdfast/orchestrator-cloudflare";
import { holdfast } from "@holdfast/orchestrator-cloudflare/worker";
import { type ClassNames, type DeclaredSchedule, type Served, collectExports } from "./collect.ts";
import { markOf } from "./mark.ts";

/** The run whose code executes. */
const currentRun = new AsyncLocalStorage<string>();

for (const level of ["debug", "error", "info", "log", "warn"] as const) {
  const write = console[level].bind(console);
  console[level] = (first?: unknown, ...others: unknown[]) => {
    const run = currentRun.getStore();
    if (run === undefined) write(first, ...others);
    // A first text may be a format.
    else if (typeof first === "string") write(markOf(run) + first, ...others);
    else write(markOf(run), first, ...others);
  };
}

/** Returns the Worker for the exports of the entry. @throws Error if it exports nothing that can be served. */
export function serveEntry(entry: Readonly<Record<string, unknown>>, name: string, classes: ClassNames): Served {
  const found = collectExports(entry, name, classes);
  if ("workflows" in found) {
    const { workflows, schedules } = found;
    return serve(attributed(createInlineDispatcher({ workflows })), schedules);
  }
  // Without classes of its own the Worker still lists its runs, and has limits, here.
  const { app } = found;
  const { RunIndexDO, CoordinatorDO } = serve(createInlineDispatcher({ workflows: [] }));
  return {
    ...app,
    RunIndexDO: app.RunIndexDO ?? RunIndexDO,
    CoordinatorDO: app.CoordinatorDO ?? CoordinatorDO,
  };
}

interface StepsEnvironment {
  readonly STEPS_URL: string;
  readonly STEP_SIGNING_KEY: string;
}

/** Returns the Worker that sends steps to a service over HTTP. */
export function serveSteps(): Served {
  return holdfast({
    dispatcher: ({ STEPS_URL: url, STEP_SIGNING_KEY: signingKey }: StepsEnvironment) =>
      createHttpDispatcher({ url, signingKey }),
  });
}

/** `schedules`: those that the entry does not export any more end. */
function serve(dispatcher: StepDispatcher, schedules?: readonly DeclaredSchedule[]): Served {
  return holdfast({ dispatcher, ...(schedules === undefined ? {} : { schedules }) });
}

/** Executions whose lines of the console carry the id of their run. */
function attributed(dispatcher: StepDispatcher): StepDispatcher {
  return {
    ...dispatcher,
    start: (start, port) =>
      currentRun.run(start.run.id, () => {
        const live = dispatcher.start(start, port);
        return { ...methodsOf(live), update: (update) => currentRun.run(start.run.id, () => live.update(update)) };
      }),
  };
}

function methodsOf(live: LiveExecution): LiveExecution {
  const methods: LiveExecution = { update: (update) => live.update(update), abort: (reason) => live.abort(reason) };
  return Object.assign(
    methods,
    live.stepsInProgress && { stepsInProgress: () => live.stepsInProgress?.() ?? [] },
    live.ping && { ping: (answered: () => void) => live.ping?.(answered) },
    live.whenIdle && { whenIdle: () => live.whenIdle?.() },
  );
}
