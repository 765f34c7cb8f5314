/**
 * The page that a click on a public token's link shows (SEC6, WAIT7).
 *
 * Owns: its text and its headers. The page has no script. Its form posts one field, `payload`, to the page's own URL.
 *
 * Invariants
 * - TP1 Every text that the page gets is escaped.
 */

/** What the page asks. */
export interface Question {
  readonly title?: string | undefined;
  readonly details?: string | undefined;
  /** A button for each. `payload`: the answer as JSON. */
  readonly choices?: readonly { readonly label: string; readonly payload: string }[] | undefined;
}

const STYLE =
  "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:36rem;margin:12vh auto;padding:0 1rem}p{white-space:pre-line}button{font:inherit;margin:0 .5rem .5rem 0;padding:.5rem 1.2rem}";

/** Of `STYLE`, in the form of the Content Security Policy. A test compares them. */
const STYLE_HASH = "sha256-nypF8W1eQhVuICi7vpeV9ywnm0YzKX6j1DfL/CANtXs=";

const HEADERS = {
  "Content-Type": "text/html; charset=utf-8",
  "Content-Security-Policy": `default-src 'none'; style-src '${STYLE_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
  "Referrer-Policy": "no-referrer",
  "Cache-Control": "no-store",
  "X-Content-Type-Options": "nosniff",
};

/** Without choices, one button sends `null`. */
const CONFIRM = [{ label: "Confirm", payload: "null" }];

/** Returns the page that asks for an answer. */
export function questionPage({ title = "Please confirm", details, choices = CONFIRM }: Question): Response {
  const buttons = choices.map(
    ({ label, payload }) => `<button name="payload" value="${escape(payload)}">${escape(label)}</button>`,
  );
  const form = `<form method="post">${buttons.join("")}</form>`;
  return page(title, `${details === undefined ? "" : `<p>${escape(details)}</p>`}${form}`);
}

/** Returns a page without a form. */
export function messagePage(title: string, details: string, status = 200): Response {
  return page(title, `<p>${escape(details)}</p>`, status);
}

function page(title: string, body: string, status = 200): Response {
  const text = escape(title);
  const head = `<meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="robots" content="noindex"><title>${text}</title><style>${STYLE}</style>`;
  return new Response(
    `<!doctype html><html lang="en"><head>${head}</head><body><main><h1>${text}</h1>${body}</main></body></html>`,
    { status, headers: HEADERS },
  );
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escape(text: string): string {
  return text.replaceAll(/[&<>"']/g, (char) => ENTITIES[char] ?? char);
}
