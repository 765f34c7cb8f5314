/** What a page shows answers to keys and clicks from its first frame: effects that run after it come too late. */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const SOURCE = join(import.meta.dirname, "../src");
/** A dialog that opens, and a listener for what a person does. */
const LATE = /\.showModal\(|addEventListener\(\s*"(?:key|click|mouse|pointer|touch|wheel|drag|drop)/u;

/** The text of each call of `useEffect`. */
function effectsOf(code: string): readonly string[] {
  return code
    .split(/\buseEffect\(/u)
    .slice(1)
    .map(untilClosed);
}

function untilClosed(text: string): string {
  let open = 1;
  let at = 0;
  for (; at < text.length && open > 0; at++) open += text[at] === "(" ? 1 : text[at] === ")" ? -1 : 0;
  return text.slice(0, at);
}

test("dialogs open, and listeners for keys and pointers are added, before the frame that shows them", () => {
  const files = globSync("**/*.{ts,tsx}", { cwd: SOURCE });
  expect(files.length).toBeGreaterThan(100);
  const late = files.filter((file) =>
    effectsOf(readFileSync(join(SOURCE, file), "utf8")).some((text) => LATE.test(text)),
  );
  expect(late, "Use useModal, or useLayoutEffect").toEqual([]);
});
