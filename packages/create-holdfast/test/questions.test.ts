/** The two questions, at a terminal that the test types into. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Terminal, askFolder, askKind } from "../src/questions.ts";

const FIRST = "Where shall the project be?";
const SECOND = "Where shall your workflows execute?";

let cwd: string;
let input: PassThrough;
let shown: string;
let terminal: Terminal;

beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "holdfast-questions-"));
  input = new PassThrough();
  shown = "";
  const output = new PassThrough();
  output.on("data", (chunk: Buffer) => (shown += chunk.toString()));
  terminal = { input, output };
});

afterEach(() => rmSync(cwd, { recursive: true }));

/** Types keys when a text is shown. */
async function type(keys: string, after: string): Promise<void> {
  await vi.waitFor(() => expect(shown).toContain(after));
  input.write(keys);
}

test("Enter takes the default folder and the Worker", async () => {
  const folder = askFolder("my-app", cwd, terminal);
  await type("\r", FIRST);
  expect(await folder).toBe("my-app");
  const kind = askKind(terminal);
  await type("\r", SECOND);
  expect(await kind).toBe("worker");
});

test("a folder that cannot be used is asked for again", async () => {
  writeFileSync(join(cwd, "file"), "");
  const folder = askFolder("my-app", cwd, terminal);
  await type("file\r", FIRST);
  await type("s\r", '"file" is a file. Choose another name.');
  expect(await folder).toBe("files");
});

test.each([
  ["Ctrl-C", "\u0003"],
  ["Ctrl-D", "\u0004"],
  ["Ctrl-D after a letter", "a\u0004"],
])("%s ends the command before anything is written", async (_, keys) => {
  const folder = askFolder("my-app", cwd, terminal);
  const refused = expect(folder).rejects.toMatchObject({
    status: 130,
    message: expect.stringContaining("Nothing was written"),
  });
  await type(keys, FIRST);
  await refused;
});

test("the arrow keys choose the kind", async () => {
  const kind = askKind(terminal);
  await type("\u001B[B\u001B[B\r", SECOND);
  expect(await kind).toBe("both");
});
