/**
 * The output of workerd when a test ends objects or processes on purpose.
 *
 * Owns: the texts of workerd for each cause. A test fails on any other output.
 */
import { abortAllDurableObjects, reset } from "cloudflare:test";
import { expectOutput } from "@holdfast/proof/output";
import { afterEach } from "vitest";

/** Removes all objects after each test of the file. */
export function resetAfterEach(): void {
  expectOutput("objects removed between tests", /Application called deleteAllDurableObjects\(\)/);
  afterEach(reset);
}

/** Aborts all objects. */
export function abortAll(): Promise<void> {
  expectOutput("objects aborted by a test", /Application called abortAllDurableObjects\(\)/);
  return abortAllDurableObjects();
}

/** For suites that crash objects at a write: the crash, and the errors of requests to the crashed object. */
export function expectCrashes(): void {
  expectOutput("objects crashed by the contract suite", /jsg\.Error: the contract suite made it crash/);
  expectOutput(
    "requests that met such a crash",
    /^holdfast: a request failed, [A-Z]+ \/\S+: \[?Error: the contract suite made it crash/,
    /^holdfast: a request to a run failed TypeError: Can't read from request stream because client disconnected/,
  );
  expectOutput("alarms of crashed objects", /^NOSENTRY SQLite alarm /);
}

/** For suites in which one end of a connection ends: an object, or the process of the step handler. */
export function expectBrokenConnections(): void {
  expectOutput(
    "connections with one end that a test ended",
    /exception = \S+: disconnected: /,
    /^uncaught exception; source = Uncaught \(in promise\); stack = Error: Network connection lost\./,
  );
}

/** For suites with much load: an alarm fires while a commit moves it. workerd then fires it at the new time. */
export function expectMovedAlarms(): void {
  expectOutput("alarms that moved as they fired", /^NOSENTRY SQLite alarm handler canceled with requestScheduledAlarm/);
  // On a busy machine the schedule of all alarms has a later time than the file of a run.
  expectOutput("alarms that fired late", /^NOSENTRY SQLite alarm overdue, running despite AlarmManager mismatch/);
}
