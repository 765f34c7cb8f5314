/**
 * The load of the soak test: catalogue runs and runs with external effects, each with its expected outcome.
 */
import { type CatalogueEntry, differences, runEntry, slugOf } from "../catalogue/index.ts";
import type { Random } from "../simulator/random.ts";
import type { Caller } from "./caller.ts";
import { catalogue } from "./workflows.ts";

const PIPES = ["", "rpc-", "fetch-", "http-"] as const;

export interface SoakRun {
  readonly id: string;
  readonly kind: string;
  /** Its bodies have external effects, which the recorder knows. */
  readonly acts: boolean;
  state: "open" | "ended";
  problems: readonly string[];
  /** It was deleted after its end. */
  deleted: boolean;
}

/**
 * The entries whose outcome does not depend on time: a restart takes seconds, and would change the others. `ctx.now` stands
 * still after a step of the clock back, until the clock has caught up.
 */
const timeIndependent = catalogue.filter(
  ({ title, timeoutMs, cues = [] }) =>
    timeoutMs === undefined &&
    !/race|WAIT3|WAIT4|WAIT5|RUN6|STEP4|CAN1|CAN6|ctx\.now/.test(title) &&
    !cues.some((cue) => cue.act.type === "wait"),
);

interface Expected {
  readonly input?: unknown;
  readonly status: string;
  readonly output?: unknown;
}

const ACTING: Readonly<Record<string, Expected>> = {
  "soak-sequence": { input: 6, status: "completed", output: 6 },
  "soak-parallel": { status: "completed", output: 4 },
  "soak-racing": { input: 20, status: "completed", output: 60 },
  "soak-flaky": { status: "completed", output: "at last" },
  "soak-undoing": { status: "compensated" },
  "soak-signals": { status: "completed", output: [1, 2, 3] },
  "soak-family": { status: "completed", output: [2, 3] },
  "soak-rejecting": { status: "completed", output: "no" },
};

const SPINNING: Readonly<Record<string, Expected>> = { "soak-spinning": { status: "completed", output: "through" } };
/** One of so many runs blocks its process. Only Node processes are watched by something that kills them. */
const SPINNING_EVERY = 200;

/** Starts one run. `ended` resolves when the run has ended and `run.problems` is set. */
export function startRun(
  caller: Caller,
  random: Random,
  number: number,
): { readonly run: SoakRun; readonly ended: Promise<void> } {
  const spins = number % SPINNING_EVERY === 120;
  const pipe = spins ? "http-" : random.pick(PIPES);
  const acts = random.chance(0.5) || spins;
  const workflowId = spins ? "soak-spinning" : random.pick(Object.keys(ACTING));
  const deletes = !acts && random.chance(0.3);
  const entry = random.pick(timeIndependent);
  const kind = acts ? workflowId : slugOf(entry);
  const run: SoakRun = {
    id: `${pipe}${number}-${kind}`.slice(0, 120),
    kind: `${pipe || "inline-"}${acts ? "acting" : "catalogue"}`,
    acts,
    state: "open",
    problems: [],
    deleted: false,
  };
  const outcome = acts ? runActing(caller, run.id, workflowId) : runCatalogueEntry(caller, run.id, entry);
  const ended = outcome
    .catch((error: unknown) => [String(error)])
    .then(async (problems) => {
      run.problems = problems;
      if (deletes && problems.length === 0) {
        await caller.delete(run.id);
        run.deleted = true;
      }
      run.state = "ended";
    });
  return { run, ended };
}

async function runCatalogueEntry(caller: Caller, id: string, entry: CatalogueEntry): Promise<string[]> {
  return differences([entry.outcome, ...(entry.orAfterCrash ?? [])], await runEntry(caller, entry, id));
}

async function runActing(caller: Caller, id: string, workflowId: string): Promise<string[]> {
  const { input, status, output }: Expected = ACTING[workflowId] ?? SPINNING[workflowId] ?? { status: "unknown" };
  await caller.trigger(id, workflowId, input);
  if (workflowId === "soak-signals") for (const n of [1, 2, 3]) await caller.deliver(id, "signal", "n", n, `d-${n}`);
  for (;;) {
    const record = await caller.read(id);
    if (!/pending|running|waiting/.test(record.status)) {
      const found = { status: record.status, output: record.output };
      return JSON.stringify(found) === JSON.stringify({ status, output })
        ? []
        : [`ended with ${JSON.stringify(record)}`];
    }
    await caller.wait(250);
  }
}
