/**
 * The declarations of a test about its own output, for the reporter of `pnpm test`.
 *
 * Owns: two fields in the metadata of a test. The reporter (checks/output) reads them when the file of the test ends.
 * Output on stderr, and any output of the runtime, fails its test unless the test or its suite declares it here.
 */
import { TestRunner, beforeEach } from "vitest";

export interface ExpectedOutput {
  /** The kind of output, in the plural. The summary counts messages by this text. */
  readonly reason: string;
  /** The source of a regular expression. Messages that match it are expected. */
  readonly pattern: string;
}

declare module "vitest" {
  interface TaskMeta {
    expectedOutput?: ExpectedOutput[];
    /** Lines that are printed below the suite, also if it passes. */
    notes?: string[];
  }
}

/**
 * Declares messages that a test or a suite writes on purpose. A call in a test applies to that test; a call elsewhere
 * applies to each test of the surrounding suite. Output of the runtime belongs to a file, not to a test: it is expected if
 * any test of the file declares it.
 */
export function expectOutput(reason: string, ...patterns: readonly RegExp[]): void {
  const declare = ({ meta }: Pick<TestTask, "meta">): void => {
    const declared = patterns.map(({ source }) => ({ reason, pattern: source }));
    meta.expectedOutput = [...(meta.expectedOutput ?? []), ...declared];
  };
  const running = runningTest();
  if (running === undefined) beforeEach(({ task }) => declare(task));
  else declare(running);
}

/** Prints a line below the suite of the running test, also if the suite passes. */
export function note(text: string): void {
  const meta = runningTest()?.meta;
  if (meta !== undefined) meta.notes = [...(meta.notes ?? []), text];
}

/** Returns a new seed for random properties and prints it with the suite. `PROPERTY_SEED` repeats a seed. */
export function randomSeed(): number {
  const given = globalThis.process?.env?.["PROPERTY_SEED"];
  const seed = given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given);
  note(`seed ${seed}; repeat with: PROPERTY_SEED=${seed}`);
  return seed;
}

type TestTask = NonNullable<ReturnType<typeof runningTest>>;

function runningTest(): ReturnType<typeof TestRunner.getCurrentTest> {
  return TestRunner.getCurrentTest();
}
