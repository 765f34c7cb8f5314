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

export const VERBS: readonly ListedVerb[] = [
  {
    name: "dev",
    group: LOCAL,
    summary: "run workflows on this machine, and reload them on save",
    load: async () => (await import("./dev/command.ts")).dev,
  },
  {
    name: "start",
    group: READ,
    summary: "start a run of a workflow",
    load: async () => (await import("./verbs/start.ts")).start,
  },
  { name: "run", group: READ, summary: "show a run", load: async () => (await import("./verbs/run.ts")).run },
  {
    name: "result",
    group: READ,
    summary: "wait for the end of a run, and print its output",
    load: async () => (await import("./verbs/result.ts")).result,
  },
  { name: "list", group: READ, summary: "list runs", load: async () => (await import("./verbs/list.ts")).list },
  { name: "count", group: READ, summary: "count runs", load: async () => (await import("./verbs/count.ts")).count },
];
