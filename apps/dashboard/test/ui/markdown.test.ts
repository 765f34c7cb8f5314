/**
 * The part of Markdown that texts of workflows may use, and texts that are written to harm.
 */
import { expect, test } from "vitest";
import { type Block, parseMarkdown } from "../../src/ui/markdown.ts";
import type { Inline } from "../../src/ui/markdown-inline.ts";

/** Writes the tree as short text: `p(…)`, `b(…)` for strong, `i(…)` for emphasis. */
function treeOf(text: string): string {
  return parseMarkdown(text).map(blockText).join(" ");
}

function blockText(block: Block): string {
  if (block.kind === "code") return `pre(${JSON.stringify(block.text)})`;
  if (block.kind === "rule") return "hr";
  if (block.kind === "quotation") return `q(${block.blocks.map(blockText).join(" ")})`;
  if (block.kind === "list") {
    const items = block.items.map((blocks) => `li(${blocks.map(blockText).join(" ")})`).join("");
    return `${block.start === undefined ? "ul" : `ol${block.start}`}(${items})`;
  }
  const inner = block.inlines.map(inlineText).join("");
  return block.kind === "heading" ? `h${block.level}(${inner})` : `p(${inner})`;
}

function inlineText(inline: Inline): string {
  if (inline.kind === "text") return inline.text;
  if (inline.kind === "break") return "|";
  if (inline.kind === "code") return `c(${inline.text})`;
  const inner = inline.inlines.map(inlineText).join("");
  if (inline.kind === "link") return `a(${inner} ${inline.href})`;
  return `${{ strong: "b", emphasis: "i", deletion: "s" }[inline.kind]}(${inner})`;
}

test.each([
  ["a\nb\n\nc", "p(a|b) p(c)"],
  ["a  \nb\\\nc", "p(a|b|c)"],
  ["# A #\n## B\n#c", "h1(A) h2(B) p(#c)"],
  ["**a** and *b* and __c__ _d_ ~~e~~", "p(b(a) and i(b) and b(c) i(d) s(e))"],
  ["***a***", "p(i(b(a)))"],
  ["**a *b***", "p(b(a i(b)))"],
  ["*a **b***", "p(i(a b(b)))"],
  ["snake_case_name and 2 * 3 * 4", "p(snake_case_name and 2 * 3 * 4)"],
  ["**a", "p(**a)"],
  ["*a **b*", "p(*a *i(b))"],
  ["`a *b*` and ``c`d`` and ` e", "p(c(a *b*) and c(c`d) and ` e)"],
  ["\\*a\\* \\q", "p(*a* \\q)"],
  ["- a\n- b\n  c\n\n  d\n- e", "ul(li(p(a))li(p(b|c) p(d))li(p(e)))"],
  ["1. a\n2. b", "ol1(li(p(a))li(p(b)))"],
  ["7) a", "ol7(li(p(a)))"],
  ["- a\n  - b\n    - c\n- d", "ul(li(p(a) ul(li(p(b) ul(li(p(c))))))li(p(d)))"],
  ["a\n- b\nc", "p(a) ul(li(p(b))) p(c)"],
  ["* * *\n---", "hr hr"],
  ["> a\n> - b\n\nc", "q(p(a) ul(li(p(b)))) p(c)"],
  ["```js\na\n  b\n```\nc", 'pre("a\\n  b") p(c)'],
  ["```\na", 'pre("a")'],
  ["[a *b*](https://example.com/x?y=1)", "p(a(a i(b) https://example.com/x?y=1))"],
  ['[a](https://example.com "title")', "p(a(a https://example.com/))"],
  ["[ ] todo [x]", "p([ ] todo [x])"],
  ["[a [b](https://b.example)](https://c.example)", "p([a a(b https://b.example/)](https://c.example))"],
  ["![alt](https://example.com/i.png)", "p(a(alt https://example.com/i.png))"],
  ["wow! [a]", "p(wow! [a])"],
])("MD2 %j", (text, tree) => {
  expect(treeOf(text)).toBe(tree);
});

test.each([
  "javascript:alert(1)",
  "JaVaScRiPt:alert(1)",
  "java\tscript:alert(1)",
  "data:text/html,<script>alert(1)</script>",
  "vbscript:x",
  "file:///etc/passwd",
  "//evil.example",
  "/ui/runs",
  "https:evil.example",
  "https://bank.example@evil.example/",
  "https://user:pass@evil.example/",
  "blob:https://x",
  "\u0001javascript:x",
  "https://",
  "mailto:a@b.example",
])("DASH7 MD3 [a](%s) is text", (target) => {
  expect(treeOf(`[a](${target})`)).not.toContain("a(a ");
});

test("MD3 the host of a link is the one that the browser goes to", () => {
  const [block] = parseMarkdown("[https://bank.example](https://bаnk.example:8443/a)");
  expect(block).toMatchObject({ inlines: [{ kind: "link", host: "xn--bnk-6cd.example:8443" }] });
});

test("DASH7 MD2 HTML is text", () => {
  const text = '<script>alert(1)</script><img src=x onerror="alert(1)">&lt;b&gt;';
  expect(treeOf(text)).toBe(`p(${text})`);
});

const CHARS = 16 * 1_024;

test.each([
  "[",
  "]",
  "![",
  "*",
  "_",
  "**a*_",
  "*a ",
  "*a_b*c_d",
  "a**",
  "`",
  "` ``",
  "[a](",
  "[a](http://a",
  "[a](http://a) ",
  "[[a](http://b)](",
  "> ",
  ">",
  "- ",
  "1. ",
  "#",
  "# ",
  "\\",
  "~~",
  "~~a ",
  "```\n",
  "- - a\n",
  "> - 1. ",
  " ",
  "\n",
  "\t",
  "a\n",
  "|a",
  "<a ",
  "![a](http://a)",
  "***a** b* ",
  "__a__b",
  "`a`",
  "\u0000",
  "\ud83d",
  "***",
  "(",
  "[x](<http://a>",
  "\n\n- a\n\n",
  "* *\n",
  "=\n",
])("DASH7 MD1 16 KiB of %j take less than 500 ms, and the tree is not deep", (part) => {
  const text = part.repeat(Math.ceil(CHARS / part.length));
  const before = process.cpuUsage();
  const blocks = parseMarkdown(text);
  expect(process.cpuUsage(before).user / 1_000).toBeLessThan(500);
  expect(depthOf(blocks)).toBeLessThan(60);
});

test("MD1 runs of backticks of all lengths, and lists that go in step by step, take less than 500 ms", () => {
  const runs = Array.from({ length: 180 }, (_, n) => `${"`".repeat(n + 1)} `).join("");
  const steps = Array.from({ length: 170 }, (_, n) => `${" ".repeat(n)}- a\n`).join("");
  const before = process.cpuUsage();
  expect(depthOf(parseMarkdown(runs + runs))).toBeLessThan(60);
  expect(depthOf(parseMarkdown(steps))).toBeLessThan(60);
  expect(process.cpuUsage(before).user / 1_000).toBeLessThan(500);
});

function depthOf(tree: unknown): number {
  if (typeof tree !== "object" || tree === null) return 0;
  return 1 + Math.max(0, ...Object.values(tree).map(depthOf));
}
