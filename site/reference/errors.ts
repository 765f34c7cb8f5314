/** The pages of error codes: one for each code of runs, one with all HTTP refusals, and the index of both. */
import { posix } from "node:path";
import { ERROR_CODES, type ErrorCode } from "@holdfast/protocol";
import { STATUS_OF } from "../../packages/orchestrator-cloudflare/src/refusal.ts";
import { frontMatter } from "./front-matter.ts";
import { ERROR_EXAMPLES } from "./error-examples.ts";
import { ERROR_TEXTS } from "./error-texts.ts";
import { REFUSAL_TEXTS } from "./refusal-texts.ts";

/** Returns the text of each page by its path in docs/. */
export function writeErrorPages(): ReadonlyMap<string, string> {
  const pages = ERROR_CODES.map((code) => [`reference/errors/${code}.md`, errorPage(code)] as const);
  return new Map([...pages, ["reference/errors/http.md", refusalPage()], ["reference/errors.md", indexPage()]]);
}

function errorPage(code: ErrorCode): string {
  const { summary, message, cause, cure, see } = ERROR_TEXTS[code];
  const example = ERROR_EXAMPLES[code];
  return [
    frontMatter({ title: code, kind: "reference", summary, next: see[0] ?? "reference/errors.md" }),
    `# ${code}`,
    summary,
    "## Message",
    `\`\`\`text\n${message}\n\`\`\``,
    "## Cause",
    cause,
    "## Cure",
    cure,
    ...(example === undefined ? [] : ["## Example", `\`\`\`ts\n${example}\n\`\`\``]),
    `See also: ${[...see, "reference/errors.md"].map((path) => `[${labelOf(path)}](${posix.relative("reference/errors", path)})`).join(", ")}.`,
    "",
  ].join("\n\n");
}

/** A page as a link names it: `how-to/change-code.md` is "change code". */
function labelOf(path: string): string {
  return posix.basename(path, ".md").replaceAll("-", " ");
}

function refusalPage(): string {
  const codes = Object.entries(REFUSAL_TEXTS).map(([code, { cause, cure }]) => {
    const status = STATUS_OF[code as keyof typeof STATUS_OF];
    return `## ${code}\n\nStatus ${status}.\n\n**Cause.** ${cause}\n\n**Cure.** ${cure}`;
  });
  const summary = "Every code with which the HTTP API refuses a request, with its status, cause and cure.";
  return [
    frontMatter({ title: "HTTP refusals", kind: "reference", summary, next: "reference/http-guide.md" }),
    "# HTTP refusals",
    summary,
    'A refusal has the body `{ "error": "<code>", "message": "…", "docUrl": "…", "details"?: … }`. `docUrl` leads to the code on this page. The request changed nothing. The exception is `internal_error`: the request may have been executed.',
    "A command of `holdfast` that the API refuses prints the code, the message and the link, and ends with status 4.",
    ...codes,
    "",
  ].join("\n\n");
}

const INTRODUCTION = `
Each error code has a page with its message, its cause and its cure. Messages on the command line and in the dashboard, and
answers of the HTTP API, link to it.

Identify an error by its \`code\`, never by class or message: a bundle may contain a class twice. After a failed step a
workflow catches a plain \`Error\` with the name, message, code, cause, data and own fields of the original. The API shows
\`stack\` only in the record and the journal, to callers with the scope \`operate\`.

An error of yours that has a \`code\` keeps it, in the step and in the run that it ends. Use codes that are not in this table.
Two codes have an effect no matter what code throws them in a step body: \`FATAL\` and \`RETRYABLE\`.
`;

const AFTERWARDS = `
\`error.category\` in the record of a run is \`RUNTIME_ERROR\` if the workflow's code is not at fault, or if a new deployment
removes the cause. Otherwise it is \`USER_ERROR\`.

A tick of a schedule whose \`version\` is no longer served has the code \`VERSION_RETIRED\` in its decision. No run is started:
serve the version, or change the schedule.

## HTTP refusals

The HTTP API refuses requests with codes in lower case. [HTTP refusals](errors/http.md) has the cause and the cure of each.
`;

function indexPage(): string {
  const rows = ERROR_CODES.map((code) => `| [\`${code}\`](errors/${code}.md) | ${ERROR_TEXTS[code].summary} |`);
  const summary = "Every error code of Holdfast, with a link to its cause and cure.";
  return [
    frontMatter({ title: "Errors", kind: "reference", summary, next: "reference/errors/http.md" }),
    "# Errors",
    INTRODUCTION.trim(),
    "## In workflows and runs",
    `| code | what happened |\n| --- | --- |\n${rows.join("\n")}`,
    AFTERWARDS.trim(),
    "",
  ].join("\n\n");
}
