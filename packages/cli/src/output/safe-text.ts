/**
 * Text that a terminal may show (CLI7).
 *
 * Owns: what is replaced. Values come from runs, and so from anyone: control characters, escape sequences, line breaks and
 * characters that change the direction or are invisible become visible escapes. Only text that is made here has the type
 * `Text`, and only that is written to people.
 */

/** Controls, format characters (direction, zero width, tags), lone surrogates, private use, line separators. */
const HOSTILE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu;
/** Joins the parts of one emoji. */
const JOINER = "\u200d";
const NAMED: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** Text without hostile characters, possibly with colours of ours. */
export class Text {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toString(): string {
    return this.text;
  }
}

/** Replaces every character that could change what a terminal shows around it. */
export function visible(value: string): string {
  return value.replace(HOSTILE, (found, offset: number) => {
    if (found === JOINER && offset > 0 && /\p{Extended_Pictographic}\ufe0f?$/u.test(value.slice(offset - 3, offset)))
      return found;
    const code = found.codePointAt(0) ?? 0;
    return (
      NAMED[found] ??
      (code < 256 ? `\\x${hex(code, 2)}` : code > 0xffff ? `\\u{${hex(code, 5)}}` : `\\u${hex(code, 4)}`)
    );
  });
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, "0");
}

/** Builds a line. The parts between the values are ours; each value is made visible unless it is a `Text`. */
export function safe(parts: TemplateStringsArray, ...values: readonly (string | number | Text)[]): Text {
  return new Text(
    parts.reduce((text, part, index) => {
      const value = values[index - 1] ?? "";
      return text + (value instanceof Text ? value.text : visible(String(value))) + part;
    }),
  );
}

/** Writes JSON whose text has no raw control or format character. It means the same to every parser. */
export function safeJson(value: unknown, indent?: number): string {
  const json = JSON.stringify(value, undefined, indent) ?? "null";
  return json.replace(/[\u007f-\u009f\p{Cf}\p{Co}\p{Zl}\p{Zp}]/gu, (found) =>
    [...Array(found.length).keys()].map((at) => `\\u${hex(found.charCodeAt(at), 4)}`).join(""),
  );
}
