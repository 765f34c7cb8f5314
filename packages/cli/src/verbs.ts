/**
 * The list of verbs, in the order of the help.
 *
 * Owns: their names, their one-line summaries, and where each is loaded from.
 */
import type { Verb } from "./verb.ts";

export interface ListedVerb {
  readonly name: string;
  readonly group: string;
  readonly summary: string;
  readonly load: () => Promise<Verb>;
}

const LOCAL = "On this machine:";
const READ = "Start and read:";
const ACT = "Act on runs:";
const SETUP = "Set up:";

function verb(group: string, name: string, summary: string, load: () => Promise<Verb>): ListedVerb {
  return { group, name, summary, load };
}

export const VERBS: readonly ListedVerb[] = [
  verb(
    LOCAL,
    "dev",
    "run workflows on this machine, and reload them on save",
    async () => (await import("./dev/command.ts")).dev,
  ),
  verb(READ, "start", "start a run of a workflow", async () => (await import("./verbs/start.ts")).start),
  verb(READ, "run", "show a run", async () => (await import("./verbs/run.ts")).run),
  verb(READ, "why", "say why a run does not move", async () => (await import("./verbs/why.ts")).why),
  verb(READ, "open", "open the page of a run in the browser", async () => (await import("./verbs/open.ts")).open),
  verb(
    READ,
    "result",
    "wait for the end of a run, and print its output",
    async () => (await import("./verbs/result.ts")).result,
  ),
  verb(READ, "list", "list runs", async () => (await import("./verbs/list.ts")).list),
  verb(READ, "count", "count runs", async () => (await import("./verbs/count.ts")).count),
  verb(READ, "journal", "print the journal of a run", async () => (await import("./verbs/journal.ts")).journal),
  verb(READ, "export", "write runs with their journals", async () => (await import("./verbs/export.ts")).exportRuns),
  verb(READ, "tail", "follow a run, or all that match, live", async () => (await import("./verbs/tail.ts")).tail),
  verb(
    READ,
    "workflows",
    "list what the deployment serves",
    async () => (await import("./verbs/workflows.ts")).workflows,
  ),
  verb(ACT, "signal", "send a signal", async () => (await import("./verbs/deliver.ts")).signal),
  verb(ACT, "event", "send events, and show what they did", async () => (await import("./verbs/event.ts")).event),
  verb(ACT, "token", "list and answer tokens", async () => (await import("./verbs/deliver.ts")).token),
  verb(
    ACT,
    "approval",
    "list and answer what people are asked",
    async () => (await import("./verbs/approval.ts")).approval,
  ),
  verb(ACT, "limit", "show and change limits", async () => (await import("./verbs/limit.ts")).limit),
  verb(
    ACT,
    "window",
    "show and change what debounce and batch collect",
    async () => (await import("./verbs/window.ts")).window,
  ),
  verb(ACT, "schedule", "show and change schedules", async () => (await import("./verbs/schedule.ts")).schedule),
  verb(ACT, "sync", "apply what the served code declares", async () => (await import("./verbs/sync.ts")).sync),
  verb(ACT, "cancel", "cancel, with compensation", async () => (await import("./verbs/operate.ts")).cancel),
  verb(
    ACT,
    "terminate",
    "end at once, without compensation",
    async () => (await import("./verbs/operate.ts")).terminate,
  ),
  verb(ACT, "pause", "pause until unpaused", async () => (await import("./verbs/operate.ts")).pause),
  verb(ACT, "unpause", "continue what an operator paused", async () => (await import("./verbs/operate.ts")).unpause),
  verb(ACT, "retry", "continue what the engine paused", async () => (await import("./verbs/operate.ts")).retry),
  verb(ACT, "resume", "start a new run from an ended one", async () => (await import("./verbs/operate.ts")).resume),
  verb(ACT, "delete", "delete ended runs", async () => (await import("./verbs/operate.ts")).deleteRuns),
  verb(SETUP, "doctor", "examine a deployment", async () => (await import("./verbs/doctor.ts")).doctor),
  verb(SETUP, "login", "store a URL and a token as a profile", async () => (await import("./verbs/login.ts")).login),
  verb(SETUP, "profile", "list and choose profiles", async () => (await import("./verbs/profile.ts")).profile),
  verb(
    SETUP,
    "completion",
    "print a script for your shell",
    async () => (await import("./verbs/completion.ts")).completion,
  ),
];
