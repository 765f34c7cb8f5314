/**
 * The width of text on a terminal, in columns.
 *
 * Owns: measuring, padding and cutting, by grapheme clusters. Wide East Asian characters and emoji take two columns.
 */
const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

const ASCII = /^[\x20-\x7e]*$/;
const NO_WIDTH = /^[\p{Mn}\p{Me}]/u;
/** Hangul, kana, CJK and their punctuation, full-width forms, and pictures that are shown as such. */
const WIDE =
  /^(?:[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f1e6}-\u{1f1ff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}|.\ufe0f)/u;

export function widthOf(text: string): number {
  if (ASCII.test(text)) return text.length;
  let width = 0;
  for (const { segment } of graphemes.segment(text)) width += segmentWidth(segment);
  return width;
}

function segmentWidth(segment: string): number {
  if (NO_WIDTH.test(segment)) return 0;
  return WIDE.test(segment) ? 2 : 1;
}

/** Cuts text to a width. The last column is an ellipsis if something is left out. */
export function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let used = 0;
  let shown = "";
  for (const { segment } of graphemes.segment(text)) {
    used += segmentWidth(segment);
    if (used > width - 1) break;
    shown += segment;
  }
  return width < 1 ? "" : `${shown}…`;
}

export function pad(text: string, width: number, side: "left" | "right" = "left"): string {
  const space = " ".repeat(Math.max(0, width - widthOf(text)));
  return side === "left" ? text + space : space + text;
}

/** Breaks text between words into lines of a width. A longer word is broken where the line ends. */
export function wrap(text: string, width: number): readonly string[] {
  if (widthOf(text) <= width) return [text];
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ").flatMap((one) => parts(one, width))) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (widthOf(longer) <= width) line = longer;
    else {
      if (line !== "") lines.push(line);
      line = word;
    }
  }
  return [...lines, line];
}

function parts(word: string, width: number): readonly string[] {
  if (widthOf(word) <= width) return [word];
  const found = [""];
  for (const { segment } of graphemes.segment(word)) {
    const last = found.at(-1) ?? "";
    if (widthOf(last + segment) <= width) found[found.length - 1] = last + segment;
    else found.push(segment);
  }
  return found;
}
