/**
 * The place of an error in text that is not JSON.
 *
 * Owns: a scanner that only finds the place. `JSON.parse` reports no place for most errors, and quotes the text.
 */
const SPACE = /[ \t\n\r]*/y;
/** A string without its closing quote: it ends where the string ends, or where it is wrong. */
const STRING = /"[^"\\]*(?:\\(?:["\\/bfnrt]|u[\da-fA-F]{4})[^"\\]*)*/y;
const PLAIN = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

type State = "value" | "first value" | "key" | "first key" | "colon" | "after";

/** Returns the index of the first character that JSON does not allow, which is the length of text that ends too early. */
export function findJsonError(text: string): number {
  const open: string[] = [];
  let state: State = "value";
  for (let at = 0; ;) {
    at = end(SPACE, text, at) ?? at;
    const char = text.charAt(at);
    const closes = char !== "" && char === open.at(-1);
    if (closes && (state === "after" || state.startsWith("first"))) {
      open.pop();
      state = "after";
      at++;
    } else if (state === "after") {
      if (open.length === 0 || char !== ",") return at;
      state = open.at(-1) === "}" ? "key" : "value";
      at++;
    } else if (state === "colon") {
      if (char !== ":") return at;
      state = "value";
      at++;
    } else if (char === '"') {
      const from = at;
      at = end(STRING, text, from) ?? from;
      for (let inside = from; inside < at; inside++) if (text.charCodeAt(inside) < 32) return inside;
      if (text.charAt(at) !== '"') return at;
      state = state.endsWith("key") ? "colon" : "after";
      at++;
    } else if (state.endsWith("key")) return at;
    else if (char === "{" || char === "[") {
      open.push(char === "{" ? "}" : "]");
      state = char === "{" ? "first key" : "first value";
      at++;
    } else {
      const next = end(PLAIN, text, at);
      if (next === undefined) return at;
      state = "after";
      at = next;
    }
  }
}

/** Returns where the match at this place ends. */
function end(pattern: RegExp, text: string, at: number): number | undefined {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}
