/**
 * The reporter of every test run: prints a line when a test file ends, then the failures, then `N passed, N failed, N skipped`.
 *
 * Owns: the printed text, and the check of the output. A test that writes to stderr, or during which the runtime writes
 * anything, fails unless `expectOutput` declares the text; the exit status is then 1. Unhandled errors and files that fail
 * to load count as failures.
 */
import { styleText } from "node:util";
import type { Reporter, SerializedError, TestModule, Vitest } from "vitest/node";
import { failuresOf, section } from "./failure-text.ts";
import { type RawOutput, takeOverOutput } from "./raw-output.ts";
import { RunOutput } from "./run-output.ts";
import type { Counts, SuiteOutput } from "./suite-output.ts";

type UserConsoleLog = Parameters<NonNullable<Reporter["onUserConsoleLog"]>>[0];

export default class OutputReporter implements Reporter {
  #vitest: Vitest | undefined;
  #raw: RawOutput | undefined;
  #output = new RunOutput();
  /** Set while a run is open. */
  #close: (() => void) | undefined;

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
  }

  onTestRunStart(): void {
    this.#output = new RunOutput();
    this.#raw = takeOverOutput((text) => this.#output.addRaw(text, Date.now()));
    // If the runner itself fails, the run has no end event. Its message must still be printed.
    this.#close = () => this.#printClosing({ passed: 0, failed: 1, skipped: 0 });
    process.once("exit", () => this.#close?.());
  }

  onTestModuleQueued(module: TestModule): void {
    this.#output.addModule(module);
  }

  onTestModuleCollected(module: TestModule): void {
    this.#output.addModule(module);
  }

  onUserConsoleLog({ content, type, taskId }: UserConsoleLog): void {
    const entity = taskId === undefined ? undefined : this.#vitest?.state.getReportedEntityById(taskId);
    const test = entity?.type === "test" ? entity : undefined;
    this.#output.addConsole({ text: content, from: type, test }, entity?.type === "module" ? entity : entity?.module);
  }

  onTestModuleEnd(module: TestModule): void {
    this.#output.addModule(module);
    const suite = this.#output.divide().suites.find((each) => each.module === module);
    const tests = [...module.children.allTests()];
    const passed = module.ok() && suite?.unexpected.length === 0;
    const mark = passed ? styleText("green", "✓") : styleText("red", "✗");
    const seconds = (module.diagnostic().duration / 1_000).toFixed(1);
    const tally = `${tests.length} ${tests.length === 1 ? "test" : "tests"}`;
    this.#print(`${mark} ${module.project.name} ${module.relativeModuleId}  ${tally}  ${seconds} s`);
    for (const text of tests.flatMap((test) => test.meta().notes ?? [])) this.#print(`    ${text}`);
  }

  onTestRunEnd(_modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    if (this.#vitest === undefined) return;
    const { logger, config } = this.#vitest;
    const { suites, early } = this.#output.divide();
    const failures = suites.flatMap((suite) => failuresOf(logger, suite));
    for (const error of unhandled) failures.push(`FAIL unhandled error\n${logger.formatError(error).output.trimEnd()}`);
    if (early.length > 0) failures.push(section("FAIL output that belongs to no test:", early).join("\n"));
    for (const failure of failures) this.#print(`\n${failure}`);
    this.#printExpected(suites);
    const counts = suites.map((suite) => suite.count());
    const sum = (of: keyof Counts): number => counts.reduce((total, each) => total + each[of], 0);
    const failed = sum("failed") + unhandled.length + (early.length > 0 ? 1 : 0);
    this.#close = () => this.#printClosing({ passed: sum("passed"), failed, skipped: sum("skipped") });
    // The output of the stopping runtime is checked too, so the closing line is printed when the process ends.
    this.#output = new RunOutput();
    if (failed > 0) process.exitCode = 1;
    // From here on a coverage table is printed, which must not count as undeclared output.
    if (config.watch || config.coverage.enabled) this.#close();
  }

  /** Prints the closing line when everything else has been written. */
  #printClosing({ passed, failed, skipped }: Counts): void {
    this.#close = undefined;
    const { suites, early } = this.#output.divide();
    const late = [...suites.flatMap(({ messages }) => messages), ...early].filter(({ from }) => from === "raw");
    if (late.length > 0) {
      this.#print(`\n${section("FAIL output outside the tests:", late).join("\n")}`);
      process.exitCode = 1;
    }
    this.#print(`${passed} passed, ${failed + (late.length > 0 ? 1 : 0)} failed, ${skipped} skipped`);
    this.#raw?.restore();
  }

  #printExpected(suites: readonly SuiteOutput[]): void {
    const total = new Map<string, number>();
    for (const { expected } of suites)
      for (const [reason, times] of expected) total.set(reason, (total.get(reason) ?? 0) + times);
    if (total.size > 0) this.#print("\nExpected output:");
    for (const [reason, times] of total) this.#print(`    ${times} × ${reason}`);
  }

  #print(line: string): void {
    this.#raw?.print(`${line}\n`);
  }
}
