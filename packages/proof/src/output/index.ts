/**
 * What a test says about its own output, for the reporter of `pnpm test`.
 *
 * Owns: two fields in the metadata of a test. The reporter (checks/output) reads them when the file of the test ends.
 * Output on stderr, and any output of the runtime, fails its test unless the test or its suite declares it here.
 */
import { TestRunner, beforeEach } from "vitest";

export interface ExpectedOutput {
  /** What the output shows, in the plural: the summary counts it by this text. */
  readonly reason: string;
  /** The source of a regular expression. A message that it matches is expected. */
  readonly pattern: string;
}

declare module "vitest" {
  interface TaskMeta {
    expectedOutput?: ExpectedOutput[];
    /** Lines that a green run prints below its suite. */
    notes?: string[];
  }
}

/**
 * Declares messages that a test or a suite writes on purpose. In a test it holds for that test, elsewhere for each test
 * of the surrounding suite. Output of the runtime is not tied to a test: it is expected if any test of its file declares it.
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

/** Prints a line below the suite of the running test, on a green run too. */
export function note(text: string): void {
  const meta = runningTest()?.meta;
  if (meta !== undefined) meta.notes = [...(meta.notes ?? []), text];
}

/** A seed for random properties: another one each time, printed with the suite. `PROPERTY_SEED` repeats one. */
export function randomSeed(): number {
  const given = globalThis.process?.env?.["PROPERTY_SEED"];
  const seed = given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given);
  note(`seed ${seed}; again with: PROPERTY_SEED=${seed}`);
  return seed;
}

type TestTask = NonNullable<ReturnType<typeof runningTest>>;

function runningTest(): ReturnType<typeof TestRunner.getCurrentTest> {
  return TestRunner.getCurrentTest();
}
