/**
 * The page that a click on a public token's link shows (SEC6, WAIT7, ASK7).
 *
 * Owns: its text and its headers. The page has no script. Its forms post to the page's own URL.
 *
 * Invariants
 * - TP1 Every text that the page gets is escaped.
 * - TP2 Each control has a label, and the problem of a value is beside its control.
 */
import type { AnswerIssue, Ask } from "@holdfast/protocol";
import { type Field, PAYLOAD, type Sent, fieldsOf } from "./token-form.ts";

/** What the page asks, and the answer that was refused. */
export interface Question {
  readonly ask?: Ask | undefined;
  /** When the wait times out, ms since 1970. */
  readonly until?: number | undefined;
  readonly issues?: readonly AnswerIssue[] | undefined;
  /** What the form sent: it is shown again. */
  readonly sent?: Sent | undefined;
}

const STYLE =
  ":root{color-scheme:light dark}body{font:1.1rem/1.5 system-ui,sans-serif;max-width:36rem;margin:8vh auto;padding:0 1rem;overflow-wrap:anywhere;background:Canvas;color:CanvasText}p{white-space:pre-line}label,legend{display:block;font-weight:600;padding:0}fieldset{border:0;margin:1.2rem 0;padding:0}fieldset label{font-weight:400}form div{margin:1.2rem 0}input:not([type=radio]),textarea{font:inherit;box-sizing:border-box;width:100%;padding:.4rem .6rem}button{font:inherit;margin:0 .5rem .5rem 0;padding:.5rem 1.2rem}pre{white-space:pre-wrap;font-size:.85rem}small{display:block}.bad{color:#b3261e;color:light-dark(#b3261e,#ffb4ab);margin:.2rem 0;font-weight:600}";

/** Of `STYLE`, in the form of the Content Security Policy. A test compares them. */
const STYLE_HASH = "sha256-VHky24QrfblzY5WED0GJ06oyMXrG7SkCsp1UGuFjqTk=";

const HEADERS = {
  "Content-Type": "text/html; charset=utf-8",
  "Content-Security-Policy": `default-src 'none'; style-src '${STYLE_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
  "Referrer-Policy": "no-referrer",
  "Cache-Control": "no-store",
  "X-Content-Type-Options": "nosniff",
};

/** Returns the page that asks for an answer. With problems, its status is 400. */
export function questionPage({ ask, until, issues = [], sent = new Map() }: Question): Response {
  const { title = "Please confirm", details, risk } = ask ?? {};
  const facts = [
    ...(risk === undefined ? [] : [`Risk: ${risk}`]),
    ...(until === undefined ? [] : [`Open until ${timeText(until)}`]),
  ];
  const parts = [
    details === undefined || details === "" ? "" : `<p>${escape(details)}</p>`,
    facts.length === 0 ? "" : `<p><small>${escape(facts.join("\n"))}</small></p>`,
    formOf(ask, issues, sent),
  ];
  const isRefused = issues.length > 0;
  return page(title, parts.join(""), isRefused ? 400 : 200, isRefused ? `Not sent: ${title}` : title);
}

/** Minutes are enough, and the same everywhere. */
function timeText(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** Without schema and choices, one button sends `null`. */
const CONFIRM = [{ label: "Confirm", value: null }];

function formOf(ask: Ask | undefined, issues: readonly AnswerIssue[], sent: Sent): string {
  const { schema, choices } = ask ?? {};
  const buttons = schema === undefined ? (choices ?? CONFIRM) : (choices ?? []);
  const fields = ask === undefined || schema === undefined ? [] : fieldsOf(ask);
  const shown = new Set(fields?.map(({ path }) => path));
  const elsewhere = issues.filter(({ path }) => (fields === undefined ? true : !shown.has(path)));
  const list = elsewhere.map(({ path, message }) => `<li>${escape(`${path} ${message}`.trim())}</li>`).join("");
  const problem = list === "" ? "" : `<ul class="bad">${list}</ul>`;
  const alert =
    issues.length === 0
      ? ""
      : `<div role="alert"><p class="bad">Your answer was not sent. Please correct it.</p>${problem}</div>`;
  const choose = buttons.length === 0 ? "" : `<form method="post">${buttons.map(buttonOf).join("")}</form>`;
  if (schema === undefined) return alert + choose;
  const controls =
    fields === undefined
      ? jsonControl(schema, sent)
      : fields.map((one, at) => controlOf(one, at, issues, sent)).join("");
  return `${alert}${choose}<form method="post">${controls}<button>Send the answer</button></form>`;
}

function buttonOf({ label, value }: { readonly label: string; readonly value: unknown }): string {
  return `<button name="${PAYLOAD}" value="${escape(JSON.stringify(value))}">${escape(label)}</button>`;
}

/** The answer to a schema without fields. */
function jsonControl(schema: Ask["schema"], sent: Sent): string {
  const text = escape(sent.get(PAYLOAD) ?? "");
  const expected = escape(JSON.stringify(schema, null, 2));
  return `<div><label for="a">Your answer, as JSON</label><textarea id="a" name="${PAYLOAD}" rows="8" required spellcheck="false">\n${text}</textarea><details><summary>What is expected</summary><pre>${expected}</pre></details></div>`;
}

function controlOf(field: Field, at: number, issues: readonly AnswerIssue[], sent: Sent): string {
  const { name, path, label, hint, required, kind, options, bounds } = field;
  if (kind === "fixed") return "";
  const problem = issues.find((issue) => issue.path === path)?.message;
  const notes = [
    ...(hint === undefined ? [] : [`<small id="h${at}">${escape(hint)}</small>`]),
    ...(problem === undefined ? [] : [`<p class="bad" id="e${at}">${escape(problem)}</p>`]),
  ].join("");
  const described = [hint === undefined ? "" : `h${at}`, problem === undefined ? "" : `e${at}`]
    .filter(Boolean)
    .join(" ");
  const about = {
    ...(described === "" ? {} : { "aria-describedby": described }),
    ...(problem === undefined ? {} : { "aria-invalid": "true" }),
  };
  const text = `${escape(label)}${required ? "" : " (optional)"}`;
  const value = sent.get(name) ?? "";
  if (kind === "choice") {
    const radios = options.map((option) => radioOf(name, option.label, option.label === value, required)).join("");
    return `<fieldset${attributes(about)}><legend>${text}</legend>${notes}${radios}</fieldset>`;
  }
  const given = { id: `f${at}`, name, ...bounds, ...about, ...(required ? { required: "" } : {}) };
  const input =
    kind === "lines"
      ? `<textarea rows="4"${attributes(given)}>\n${escape(value)}</textarea>`
      : `<input type="${kind}"${attributes({ ...given, value })}>`;
  return `<div><label for="f${at}">${text}</label>${notes}${input}</div>`;
}

function radioOf(name: string, label: string, checked: boolean, required: boolean): string {
  const given = { name, value: label, ...(checked ? { checked: "" } : {}), ...(required ? { required: "" } : {}) };
  return `<label><input type="radio"${attributes(given)}> ${escape(label)}</label>`;
}

function attributes(given: Readonly<Record<string, string>>): string {
  return Object.entries(given)
    .map(([name, value]) => (value === "" && name !== "value" ? ` ${name}` : ` ${name}="${escape(value)}"`))
    .join("");
}

/** Returns a page without a form. */
export function messagePage(title: string, details: string, status = 200): Response {
  return page(title, `<p>${escape(details)}</p>`, status);
}

function page(title: string, body: string, status = 200, head = title): Response {
  const meta = `<meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="robots" content="noindex"><title>${escape(head)}</title><style>${STYLE}</style>`;
  return new Response(
    `<!doctype html><html lang="en"><head>${meta}</head><body><main><h1>${escape(title)}</h1>${body}</main></body></html>`,
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
