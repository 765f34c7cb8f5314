/** Tests how documents are read, and how answers are compared. */
import { expect, test } from "vitest";
import { readActs } from "./acts.ts";
import { compareAnswer } from "./compare.ts";
import { findCommands } from "./page.ts";
import { Shell } from "./shell.ts";

const json = (shown: unknown, given: unknown) =>
  compareAnswer({ language: "json", text: JSON.stringify(shown) }, JSON.stringify(given));

test("commands continue after a backslash, a pipe and `&&`, and inside quotes, and the last one of a block has the answer", () => {
  const page = [
    "```sh",
    "# a comment",
    "A=1 # and # another",
    "curl \\",
    "  x |",
    "  y &&",
    "  z",
    'echo "one',
    'two"',
    "```",
    "",
    "The answer:",
    "```json",
    "{}",
    "```",
    "```sh",
    "true",
    "```",
    "## A heading",
    "```json",
    "1",
    "```",
  ].join("\n");
  expect(findCommands(page)).toEqual([
    { line: 3, text: "A=1 # and # another" },
    { line: 4, text: "curl \\\n  x |\n  y &&\n  z" },
    { line: 8, text: 'echo "one\ntwo"', answer: { language: "json", text: "{}" } },
    { line: 17, text: "true" },
  ]);
  expect(findCommands('```sh title="a.sh"\necho a\n# → a\n# → b\necho c\n# → {"d":1}\n```')).toEqual([
    { line: 2, text: "echo a", answer: { language: "text", text: "a\nb" } },
    { line: 5, text: "echo c", answer: { language: "json", text: '{"d":1}' } },
  ]);
  expect(readActs('```ts title="src/a.ts"\nlet a;\n```\n```sh\nx # leave it running\n```')).toEqual([
    { kind: "file", path: "src/a.ts", text: "let a;\n" },
    { kind: "serve", command: "x", answer: undefined },
  ]);
  expect(() => findCommands('```sh\necho "\n```')).toThrow("The command at line 2 does not end.");
});

test("an answer may have fields that are not shown; shown fields, lists and texts must be equal", () => {
  expect(json({ a: 1 }, { a: 1, b: 2 })).toEqual([]);
  expect(json({ a: { b: [1] } }, { a: { b: [2] } })).toEqual([".a.b[0] is 2, not 1"]);
  expect(json({ a: 1 }, {})).toEqual([".a is undefined, not 1"]);
  expect(json([1], [1, 2])).toEqual([". has 2 elements, not 1"]);
  expect(json([1, "…"], [1, 2])).toEqual([]);
  expect(json([1, "…"], [])).toEqual([". has 0 elements, not 1"]);
  expect(compareAnswer({ language: "json", text: "{}" }, "none")).toEqual(["The answer is not JSON: none"]);
});

test("an ellipsis stands for any text, and a time for any time", () => {
  expect(json({ id: "…" }, { id: ["any"] })).toEqual([]);
  expect(json({ id: "…" }, {})).toEqual(['.id is undefined, not "…"']);
  expect(json("/a/…/c", "/a/b/c")).toEqual([]);
  expect(json("aa…aa", "aaa")).toHaveLength(1);
  expect(json("a…b…c", "acb")).toHaveLength(1);
  expect(json({ at: 1_767_225_600_000 }, { at: 1_800_000_000_000 })).toEqual([]);
  expect(json({ at: 1_767_225_600_000 }, { at: 5 })).toHaveLength(1);
});

test("shown lines are printed in their order", () => {
  const shown = { language: "text", text: "id: 1\ndata: {…}" };
  expect(compareAnswer(shown, 'retry: 5\nid: 1\nevent: run\ndata: {"a":1}\n')).toEqual([]);
  expect(compareAnswer(shown, "data: {}\nid: 1\n")).toHaveLength(1);
});

test("a shell keeps variables, gives the status of each command, and ends at an unset variable", async () => {
  const shell = new Shell("/");
  await shell.execute("NAME=ann");
  expect(await shell.execute('echo "$NAME" # a comment')).toEqual({ status: 0, stdout: "ann\n", stderr: "" });
  expect(await shell.execute("cat; false")).toMatchObject({ status: 1, stdout: "" });
  expect(await shell.execute('echo "$TOKEN_ID"')).toMatchObject({
    status: undefined,
    stderr: expect.stringContaining("TOKEN_ID"),
  });
  await shell.close();
});
