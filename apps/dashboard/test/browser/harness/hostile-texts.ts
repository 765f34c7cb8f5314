/**
 * Texts that would break a page that treats them as anything but text.
 *
 * Owns: the list. Code in them would call `pwned`, which fails a test.
 */
export const HOSTILE_TEXTS: readonly string[] = [
  "<img src=x onerror=pwned()>",
  "<script>pwned()</script>",
  '"><svg onload=pwned()>',
  "'-pwned()-'",
  "javascript:pwned()",
  "https://example.com/a?b=c",
  "data:text/html,<script>pwned()</script>",
  "{{constructor.constructor('pwned()')()}}",
  "../../../api/runs",
  "%2e%2e/%00?x=<b>",
  "invoice \u202Efdp.exe\u202C",
  "\u2066isolated\u2069 \u200Fright",
  "a\u0000b\u0007c\u001B[31mred\u007F",
  "line one\nline two\r\nline three\ttab",
  "__proto__",
  "constructor",
  "hasOwnProperty",
  "toString",
  "👩‍👩‍👧 e\u0301 \uFEFF\u200B zero",
  "\uFFFE\uFFFF",
  " leading and trailing ",
  "undefined",
  "null",
  "-1",
  "📦".repeat(60),
];

/** A value with hostile keys, deep nesting and long texts. The codec refuses the key `__proto__`. */
export function hostileValue(): unknown {
  let deep: unknown = "<b>bottom</b>";
  for (let level = 0; level < 200; level++) deep = level % 2 === 0 ? [deep] : { "<i>in</i>": deep };
  return {
    ...Object.fromEntries(HOSTILE_TEXTS.map((text, index) => [`${text}${index}`, text])),
    constructor: { prototype: { polluted: true } },
    deep,
    long: "<b>x</b>".repeat(40_000),
    wide: Array.from({ length: 5_000 }, (_, index) => `<u>${index}</u>`),
    lone: "\uD800 lone \uDC00",
  };
}
