/**
 * What the contract suites in workerd share. Each suite is a file of its own, so that a run shows its progress.
 */
import type { Crash, OpenedHost } from "@holdfast/proof/catalogue";
import { hostContract } from "@holdfast/proof/contracts";
import { vi } from "vitest";
import { openWorkerdHost } from "../contract-host.ts";
import { expectBrokenConnections, expectCrashes, resetAfterEach } from "../declared-output.ts";
import { catalogue } from "../workflows.ts";

/** Declares the output of crashes, and removes all objects after each test of the file. */
export function prepareContracts(): void {
  // On a busy machine the removal of a test's objects can take more than ten seconds.
  vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
  resetAfterEach();
  expectCrashes();
  expectBrokenConnections();
}

export const openHost: (crash: Crash | undefined) => Promise<OpenedHost> = openWorkerdHost;

// A selection, and crashes only after a write: all entries with both sides pass on every pipe and take minutes more.
const SOME = /^(DUR2|STEP2 a step that fails twice|WAIT2 a signal reaches|COMP1 a failure|CHILD2 a child's output)/;

/** The contract of a host whose executions are at the other end of a pipe. */
export function pipeContract(prefix: "rpc" | "fetch" | "http" | "frames", name: string): void {
  prepareContracts();
  const crashing = catalogue.filter(({ title }) => SOME.test(title));
  const options = { entries: catalogue, crashing, sides: ["after"], prefix, open: openHost } as const;
  hostContract(`real workerd, ${name}`, options);
}
