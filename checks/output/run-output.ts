/**
 * The output of a whole run: console messages by test, raw messages by time.
 *
 * Owns: the assignment of raw messages. The runner reports the start of a test late and in batches, so a raw message is
 * assigned at the end: to the test that had started last when the message arrived.
 */
import type { TestCase, TestModule } from "vitest/node";
import { type Message, SuiteOutput } from "./suite-output.ts";

interface RawMessage {
  readonly text: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

export class RunOutput {
  readonly #modules = new Map<string, TestModule>();
  readonly #console: (Message & { readonly moduleId: string | undefined })[] = [];
  readonly #raw: RawMessage[] = [];

  /** Adds a file. Is called again when the runner has loaded the file, because the runner then has another object for it. */
  addModule(module: TestModule): void {
    this.#modules.set(module.id, module);
  }

  addConsole(message: Message, module: TestModule | undefined): void {
    this.#console.push({ ...message, moduleId: module?.id });
  }

  addRaw(text: string, at: number): void {
    this.#raw.push({ text, at });
  }

  /** Returns the output of every file, and the messages that belong to no file. */
  divide(): { readonly suites: readonly SuiteOutput[]; readonly early: readonly Message[] } {
    const started = this.#startedTests();
    const order = [...new Set(started.map(({ test }) => test.module.id))];
    const suites = new Map(
      [...this.#modules].map(([id, module]) => {
        const before = this.#modules.get(order[order.indexOf(id) - 1] ?? "");
        return [id, new SuiteOutput(module, before)] as const;
      }),
    );
    const early: Message[] = [];
    const add = (message: Message, moduleId: string | undefined): void =>
      void (suites.get(moduleId ?? "")?.messages ?? early).push(message);
    for (const { moduleId, ...message } of this.#console) add(message, moduleId);
    for (const { text, at } of this.#raw) {
      const test = started.findLast(({ from }) => from <= at)?.test;
      add({ text, from: "raw", test }, test?.module.id);
    }
    return { suites: [...suites.values()], early };
  }

  #startedTests(): readonly { readonly test: TestCase; readonly from: number }[] {
    return [...this.#modules.values()]
      .flatMap((module) => [...module.children.allTests()])
      .flatMap((test) => {
        const from = test.diagnostic()?.startTime;
        return from === undefined ? [] : [{ test, from }];
      })
      .toSorted((a, b) => a.from - b.from);
  }
}
