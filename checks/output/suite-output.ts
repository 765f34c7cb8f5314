/**
 * The output of one test file, divided into expected and unexpected messages.
 *
 * Owns: the rule. A message on stderr, and each raw message, must match a pattern that `expectOutput` declared. Text on a
 * test's stdout is allowed, and is printed only if the test fails. A raw message belongs to no test, and the runtime can
 * write it after the file has ended. It may therefore match any pattern that its file or the previous file declared.
 */
import type { ExpectedOutput } from "@holdfast/proof/output";
import type { TestCase, TestModule } from "vitest/node";

export interface Message {
  readonly text: string;
  /** `raw`: written by the runtime or by a process, not through the console of a test. */
  readonly from: "stdout" | "stderr" | "raw";
  readonly test: TestCase | undefined;
}

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

export class SuiteOutput {
  readonly module: TestModule;
  readonly messages: Message[] = [];
  /** The file that ran before this one. */
  readonly #previous: TestModule | undefined;
  #judgement: Judgement | undefined;

  constructor(module: TestModule, previous: TestModule | undefined) {
    this.module = module;
    this.#previous = previous;
  }

  get unexpected(): readonly Message[] {
    return this.#judge().unexpected;
  }

  /** The number of messages that match each declaration, by reason. */
  get expected(): ReadonlyMap<string, number> {
    return this.#judge().expected;
  }

  /** Counts a test with undeclared output as failed, and undeclared output that belongs to no test as one more failure. */
  count(): Counts {
    const noisy = new Set(this.unexpected.map(({ test }) => test));
    const { children } = this.module;
    const counts = { passed: 0, failed: this.module.errors().length + (noisy.has(undefined) ? 1 : 0), skipped: 0 };
    for (const each of children.allSuites()) counts.failed += each.errors().length;
    for (const test of children.allTests()) {
      const { state } = test.result();
      if (state === "failed" || noisy.has(test)) counts.failed += 1;
      else if (state === "passed") counts.passed += 1;
      else counts.skipped += 1;
    }
    return counts;
  }

  #judge(): Judgement {
    return (this.#judgement ??= judge(this.messages, declaredIn(this.module, this.#previous)));
  }
}

interface Judgement {
  readonly unexpected: readonly Message[];
  readonly expected: ReadonlyMap<string, number>;
}

function judge(messages: readonly Message[], shared: readonly ExpectedOutput[]): Judgement {
  const unexpected: Message[] = [];
  const expected = new Map<string, number>();
  for (const message of messages) {
    if (message.from === "stdout") continue;
    const own = message.from === "raw" ? undefined : message.test;
    const declared = own === undefined ? shared : (own.meta().expectedOutput ?? []);
    const match = declared.find(({ pattern }) => new RegExp(pattern).test(message.text));
    if (match === undefined) unexpected.push(message);
    else expected.set(match.reason, (expected.get(match.reason) ?? 0) + 1);
  }
  return { unexpected, expected };
}

/** Returns each declaration once: every test of a suite has a copy of the suite's declarations. */
function declaredIn(...modules: readonly (TestModule | undefined)[]): ExpectedOutput[] {
  const tests = modules.flatMap((module) => (module === undefined ? [] : [...module.children.allTests()]));
  const all = tests.flatMap((test) => test.meta().expectedOutput ?? []);
  return [...new Map(all.map((declared) => [declared.pattern, declared])).values()];
}
