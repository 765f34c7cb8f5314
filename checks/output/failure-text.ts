/**
 * Formats failures as text: the title, message, difference and place from the runner, then the output of that test.
 */
import type { TestCase, TestModule, TestSuite, Vitest } from "vitest/node";
import type { Message, SuiteOutput } from "./suite-output.ts";

const SHOWN_MAX = 20_000;

/** Returns a text per failure of one file. Tests that failed only because of undeclared output are included. */
export function failuresOf(logger: Vitest["logger"], suite: SuiteOutput): readonly string[] {
  const { unexpected } = suite;
  const texts: string[] = [];
  const add = (
    what: TestCase | TestSuite | TestModule,
    errors: readonly unknown[],
    messages: readonly Message[],
  ): void => {
    const test = what.type === "test" ? what : undefined;
    const undeclared = unexpected.filter((message) => message.test === test);
    const written = messages.filter((message) => !undeclared.includes(message));
    if (errors.length === 0 && (what.type === "suite" || undeclared.length === 0)) return;
    texts.push(
      [
        `FAIL ${titleOf(what)}`,
        ...errors.map((error) => logger.formatError(error, { project: suite.module.project }).output.trimEnd()),
        ...(what.type === "suite"
          ? []
          : section("Output that the test does not declare (see expectOutput):", undeclared)),
        ...(errors.length === 0 ? [] : section("Output of this test:", written)),
      ].join("\n"),
    );
  };
  const { module } = suite;
  add(module, module.errors(), []);
  for (const each of module.children.allSuites()) add(each, each.errors(), []);
  for (const test of module.children.allTests()) {
    add(
      test,
      test.result().errors ?? [],
      suite.messages.filter((message) => message.test === test && message.from !== "raw"),
    );
  }
  return texts;
}

export function section(title: string, messages: readonly Message[]): readonly string[] {
  if (messages.length === 0) return [];
  const text = withoutRepetition(messages.map((message) => withoutBacktrace(message.text))).join("\n");
  const shown =
    text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}… (${text.length - SHOWN_MAX} more characters)` : text;
  return [
    title,
    ...shown
      .trimEnd()
      .split("\n")
      .map((line) => `  ${line}`),
  ];
}

/** Removes the lines with addresses inside workerd, which are not readable. */
function withoutBacktrace(text: string): string {
  const lines = text.split("\n").filter((line) => !line.startsWith("stack: /"));
  return lines.join("\n").trimEnd();
}

function withoutRepetition(texts: readonly string[]): readonly string[] {
  const starts = texts.flatMap((text, index) => (text === texts[index - 1] ? [] : [index]));
  return starts.map((start, place) => {
    const times = (starts[place + 1] ?? texts.length) - start;
    return times === 1 ? `${texts[start]}` : `${texts[start]} (${times} times)`;
  });
}

function titleOf(what: TestCase | TestSuite | TestModule): string {
  const module = what.type === "module" ? what : what.module;
  return [`${what.project.name} ${module.relativeModuleId}`, ...(what.type === "module" ? [] : [what.fullName])].join(
    " > ",
  );
}
