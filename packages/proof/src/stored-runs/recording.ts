/**
 * Runs the scenarios with the code of this checkout. Records all commits, and the end to which the same code continues
 * the runs from each commit.
 *
 * Owns: the recording of the fixture. A fixture is recorded once, by the last commit before a change, and never again.
 */
import { planResume } from "@holdfast/orchestrator";
import { MemoryHost, VirtualClock } from "@holdfast/workflows/testing";
import { type ContractHost, runEntry, slugOf } from "../catalogue/index.ts";
import { contractHostOf } from "../catalogue/memory-contract-host.ts";
import { type End, MAIN_RUN, PARENT_RUN, continueFrom, scenariosOn } from "./continue-runs.ts";
import type { Scenario } from "./scenario.ts";
import { workflowsOfScenario } from "./scenarios.ts";
import { StoreLog, type StoredCommit } from "./store-log.ts";

/** Runs a scenario. Returns its commits, and the position of the first commit of the main run. */
async function record(title: string): Promise<[StoredCommit[], number]> {
  const clock = new VirtualClock();
  const scenario = scenariosOn(clock).find(({ entry }) => entry.title === title) as Scenario;
  const log = new StoreLog();
  const shared = {
    clock,
    world: new Map<string, MemoryHost>(),
    workflows: workflowsOfScenario(scenario),
    faults: { remote: () => scenario.remote === true },
    ...(scenario.observed === true ? { index: new Map() } : {}),
    onCreate: (host: MemoryHost) => log.watch(host),
  };
  const { entry } = scenario;
  let inherited = {};
  if (scenario.resume !== undefined) {
    const parent = new MemoryHost({ ...shared, runId: PARENT_RUN });
    parent.trigger(slugOf(entry), entry.input);
    await parent.advance();
    inherited = { inherited: planResume(parent.header, parent.journal, scenario.resume) };
  }
  const from = log.commits.length;
  const main = new MemoryHost({ ...shared, runId: MAIN_RUN });
  const triggered = { ...scenario.trigger, ...(entry.timeoutMs === undefined ? {} : { timeoutMs: entry.timeoutMs }) };
  const begin = async (): Promise<void> => {
    main.trigger(slugOf(entry), entry.input, { ...triggered, ...inherited });
    await main.settle();
  };
  await runEntry({ ...counting(main, log, scenario.observed === true), trigger: begin }, entry, MAIN_RUN);
  while (await main.next());
  return [log.commits, from];
}

/** Wraps the host so that it counts the performed cues. */
function counting(main: MemoryHost, log: StoreLog, observed: boolean): ContractHost {
  const host = contractHostOf(() => main);
  const count = <T extends unknown[]>(act: (...given: T) => Promise<void>): ((...given: T) => Promise<void>) => {
    return (...given) => {
      log.cues += 1;
      return act(...given);
    };
  };
  const by = observed ? { by: "token:operator" } : {};
  return {
    ...host,
    deliver: count((...given) => host.deliver(...given)),
    resolveToken: count((...given) => host.resolveToken(...given)),
    cancel: count((...given) => host.cancel(...given)),
    operate: count(async (_runId, type) => {
      main.host.handle({ type, ...by });
      await main.settle();
    }),
    wait: async (ms) => {
      await host.wait(ms);
      log.cues += 1;
    },
  };
}

/** Adds to each commit the end to which it leads. Returns the commits and the distinct ends. */
async function withEnds(title: string, commits: StoredCommit[], from: number): Promise<[StoredCommit[], End[]]> {
  const ends: string[] = [];
  const ended: StoredCommit[] = [];
  for (const [at, commit] of commits.entries()) {
    if (at < from) {
      ended.push(commit);
      continue;
    }
    const end = JSON.stringify(await continueFrom(title, commits.slice(0, at + 1)));
    if (!ends.includes(end)) ends.push(end);
    ended.push({ ...commit, end: ends.indexOf(end) });
  }
  return [ended, ends.map((end) => JSON.parse(end) as End)];
}

/** Returns all runs as the text of the fixture, with a line per commit and per end. */
export async function recordStoredRuns(recordedBy: string): Promise<string> {
  const runs: string[] = [];
  for (const { entry } of scenariosOn(new VirtualClock())) {
    const [commits, ends] = await withEnds(entry.title, ...(await record(entry.title)));
    const [first, second] = [commits, ends].map((list) => list.map((one) => JSON.stringify(one)).join(",\n"));
    runs.push(`{"title":${JSON.stringify(entry.title)},\n"commits":[\n${first}\n],"ends":[\n${second}\n]}`);
  }
  return `{"recordedBy":${JSON.stringify(recordedBy)},"runs":[\n${runs.join(",\n")}\n]}\n`;
}
