/**
 * The reasons of a run for people: a tree of the run and the children for which it waits, and the verbs that help.
 *
 * Owns: which entry is below which, and the words of an action. The texts of the reasons are the server's.
 */
import type { RunRecord, WhyEntry } from "@holdfast/workflows/client";
import { type Paint, statusMark, statusStyle } from "./colours.ts";
import { Text, safe } from "./safe-text.ts";
import { ago, instant } from "./times.ts";
import { wrap } from "./width.ts";

interface Page {
  readonly paint: Paint;
  readonly width: number;
  readonly now: number;
}

/** Returns the lines for a run: its own reasons, and below each wait for a child those of the child. */
export function whyLines({ id, status, why }: Pick<RunRecord, "id" | "status" | "why">, page: Page): readonly Text[] {
  const { paint } = page;
  const title = safe`${paint("bold", id)}  ${paint(statusStyle(status), safe`${statusMark(status)} ${status}`)}`;
  const byRun = Map.groupBy(why, ({ runId }) => runId ?? id);
  return [title, ...runLines(id, byRun, page, 1)];
}

type ByRun = ReadonlyMap<string, readonly WhyEntry[]>;

/** Each generation is found once: the server names no child under two parents. */
function runLines(id: string, byRun: ByRun, page: Page, depth: number): readonly Text[] {
  return (byRun.get(id) ?? []).flatMap((entry) => {
    const { for: target, code } = entry;
    const child = code === "WAITING_FOR_CHILD" ? target?.runId : undefined;
    const lines = entryLines(entry, id, page, depth);
    if (child === undefined || !byRun.has(child)) return lines;
    return [...lines, indented(depth + 1, page.paint("bold", child)), ...runLines(child, byRun, page, depth + 2)];
  });
}

const INDENT = 2;

function indented(depth: number, text: Text): Text {
  return safe`${new Text(" ".repeat(depth * INDENT))}${text}`;
}

/** The reason, its times, its error unless the reason says it, its progress, and what helps. */
function entryLines(entry: WhyEntry, runId: string, { paint, width, now }: Page, depth: number): readonly Text[] {
  const { text, since, until, error, progress, actions, code, more } = entry;
  const shown = code === "MORE" && more !== undefined ? text : `● ${text}`;
  const times = [
    `since ${instant(since)} (${ago(since, now)})`,
    ...(until === undefined ? [] : [`until ${instant(until)} (${ago(until, now)})`]),
  ].join(", ");
  const details = [
    ...(code === "MORE" ? [] : [times]),
    ...(error === undefined || text.includes(error.message)
      ? []
      : [`error: ${error.code === undefined ? "" : `${error.code}: `}${error.message}`]),
    ...(progress === undefined ? [] : [`progress: ${JSON.stringify(progress)}`]),
  ];
  const inside = depth * INDENT;
  return [
    ...hanging(shown, inside, width - INDENT).map((line, n) => safe`${n === 0 ? line : `  ${line}`}`),
    ...details.flatMap((line) => hanging(line, inside + INDENT, width).map((part) => paint("dim", part))),
    // A command is one line, to be copied.
    ...actions.map((action) => indented(depth + 1, safe`${paint("dim", "helps:")} ${commandOf(action, runId)}`)),
  ];
}

function hanging(text: string, indent: number, width: number): readonly string[] {
  return wrap(safe`${text}`.text, Math.max(20, width - indent)).map((line) => " ".repeat(indent) + line);
}

/** Returns the command line of an action. What the server does not say is in capitals. */
function commandOf({ action, path, body }: WhyEntry["actions"][number], runId: string): string {
  const id = quoted(runId);
  switch (action) {
    case "unpauseRun":
      return `holdfast unpause ${id}`;
    case "retryRun":
      return `holdfast retry ${id}`;
    case "cancelRun":
      return `holdfast cancel ${id}`;
    case "terminateRun":
      return `holdfast terminate ${id} --reason TEXT`;
    case "resumeRun":
      return `holdfast resume ${id}`;
    case "deliverSignal":
      return `holdfast signal ${id} ${quoted(body?.["name"] ?? "NAME")} --input JSON`;
    case "deliverEvent":
      return `holdfast event send ${id} ${quoted(body?.["eventType"] ?? "TYPE")} --input JSON`;
    case "resolveToken":
      return `holdfast token answer ${id}${tokenOf(path)} --input JSON`;
  }
}

function tokenOf(path: string | undefined): string {
  const [, token] = /\/tokens\/([^/]+)$/.exec(path ?? "") ?? [];
  return token === undefined ? "" : ` ${quoted(decodeURIComponent(token))}`;
}

/** Quotes a word for a shell. */
function quoted(word: string): string {
  return /^[\w@%+=:,./][\w@%+=:,./-]*$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
