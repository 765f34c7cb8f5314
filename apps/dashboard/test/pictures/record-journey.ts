/**
 * A run of examples/gallery in virtual time: its record and its journal, as the API answers them, and those of its child.
 *
 * Owns: the durations of the bodies, and when people answer. The result is the same each time.
 */
import { journey, visa } from "@holdfast/example-gallery";
import { type TestOptions, type TestResult, testWorkflow } from "@holdfast/workflows/testing";

type Drive = NonNullable<TestOptions["drive"]>;
type Run = Parameters<Drive>[0];
type Entry = TestResult["journal"][number] & { readonly seq: number; readonly at: number };

export interface Recorded {
  readonly run: Readonly<Record<string, unknown>> & { readonly id: string };
  readonly entries: readonly Entry[];
}

const HOUR_MS = 3_600_000;
/** How long people take to answer. */
const ANSWERS = { token: 19.4 * HOUR_MS, signal: 7.2 * HOUR_MS };
/** While nothing is known to be due, time passes in steps, ms. */
const STEP_MS = 50;
/** The bodies take as much time as if they were executed by services. */
const BODIES = {
  "find offers": 900,
  "book hotel": 2_100,
  "book flight": 1_300,
  "book car": 1_300,
  "check passport": 700,
  "send form": 1_200,
  "fetch visa": 900,
};
const UNDOING = { "book hotel": 500, "book flight": 900, "book car": 400 };

interface Pending {
  readonly at: number;
  readonly end: () => void;
}

/** Executes the journey and, by itself, its child. */
export async function recordJourney(): Promise<{ readonly parent: Recorded; readonly child: Recorded }> {
  const parent = await record(journey, "journey-7");
  const started = parent.entries.find(({ type }) => type === "child.started");
  const child = await record(visa, String(started?.["runId"]));
  return { parent, child: shifted(child, (started?.at ?? 0) - Number(child.run["createdAt"])) };
}

async function record(definition: typeof journey | typeof visa, id: string): Promise<Recorded> {
  const bodies = new Bodies();
  let createdAt = 0;
  const result = await testWorkflow(
    definition as typeof journey,
    {},
    {
      workflows: [visa],
      patienceMs: 1,
      steps: { ...bodies.taking(BODIES), ...bodies.failing() },
      compensations: bodies.taking(UNDOING),
      drive: async (run) => {
        createdAt = run.now.getTime();
        await bodies.drive(run);
      },
    },
  );
  const { status, error, steps, metadata, journal, elapsedMs } = result;
  const times = { createdAt, startedAt: createdAt, updatedAt: createdAt + elapsedMs, endedAt: createdAt + elapsedMs };
  const run = { id, workflowId: definition.id, status, error, ...times, steps, metadata, input: {}, tags: [], why: [] };
  // A cast: the testing kit names fewer fields of an entry than it has.
  return { run: { ...BASE, ...run }, entries: journal as readonly Entry[] };
}

/** The fields of a record that the pictures do not depend on. */
const BASE = {
  workflowVersion: null,
  environment: "default",
  triggeredBy: "ada",
  phase: "forward",
  pendingWaitpoints: [],
  invocationCount: 5,
  tenantMeta: null,
  streams: {},
};

/** Bodies that end when virtual time has passed. */
class Bodies {
  readonly #pending: Pending[] = [];
  #run: Run | undefined;
  readonly #ended = new Set<string>();

  taking(durations: Readonly<Record<string, number>>): Record<string, () => Promise<string>> {
    return Object.fromEntries(
      Object.entries(durations).map(([name, ms]) => [name, () => this.#take(ms, "done", name)]),
    );
  }

  failing(): Record<string, (step: { readonly attempt: number }) => Promise<string>> {
    return {
      "book flight": ({ attempt }) =>
        attempt < 3 ? this.#fail(600, "The airline is busy.") : this.#take(1_300, "4 A"),
      "charge card": ({ attempt }) =>
        this.#fail(700, attempt < 3 ? "The bank does not answer." : "The card has expired."),
    };
  }

  async #take(ms: number, result: string, name = ""): Promise<string> {
    const at = this.#now() + ms;
    await new Promise<void>((end) => this.#pending.push({ at, end }));
    this.#ended.add(name);
    return result;
  }

  async #fail(ms: number, message: string): Promise<never> {
    await this.#take(ms, "");
    throw new Error(message);
  }

  #now(): number {
    return this.#run?.now.getTime() ?? 0;
  }

  async drive(run: Run): Promise<void> {
    this.#run = run;
    while (/pending|running|waiting/.test(run.status)) {
      await run.advance(this.#pending.length > 0 ? STEP_MS : await this.#idle(run));
      const due = this.#pending.filter(({ at }) => at <= this.#now());
      for (const one of due) {
        this.#pending.splice(this.#pending.indexOf(one), 1);
        one.end();
      }
    }
  }

  /** Returns how long nothing happens. People answer after their time. */
  async #idle(run: Run): Promise<number> {
    const last = run.journal.at(-1);
    const kind = last?.type === "wait.opened" ? last.operation.kind : "";
    if (kind === "sleep") return Math.max(STEP_MS, Number(last?.["wakeAt"]) - this.#now());
    if (kind === "token") {
      await run.advance(ANSWERS.token);
      await run.answer("approved by Grace");
    } else if (kind === "signal") {
      await run.advance(ANSWERS.signal);
      await run.signal("deposit", 120);
    } else if (last?.type === "child.started" && this.#ended.delete("send form")) {
      // The child sleeps too, which its parent does not see.
      return 6 * HOUR_MS - 4 * STEP_MS;
    }
    return STEP_MS;
  }
}

/** Moves a run in time. */
function shifted({ run, entries }: Recorded, ms: number): Recorded {
  const move = (fields: Readonly<Record<string, unknown>>): Record<string, unknown> =>
    Object.fromEntries(
      Object.entries(fields).map(([name, value]) => [
        name,
        typeof value === "number" && /^(?:at|.+At)$/.test(name) ? value + ms : value,
      ]),
    );
  // Two casts: moving changes no type.
  return { run: move(run) as Recorded["run"], entries: entries.map((entry) => move(entry) as Entry) };
}
