/**
 * What workerd writes, as lines for people: one for each change of a run, and each line of the user's console.
 *
 * Owns: their text. workerd writes one JSON object a line; a message that is JSON with `source: "holdfast"` is an event of a
 * run, and one with `runId` comes from `ctx.log`.
 */
import type { TelemetryEvent } from "@holdfast/orchestrator-cloudflare";
import { readMark } from "./worker/mark.ts";

export type Tone = "plain" | "good" | "bad" | "warning" | "dim";

export interface Line {
  readonly run?: string | undefined;
  readonly workflow?: string | undefined;
  readonly tone: Tone;
  readonly text: string;
  /** The user's code wrote it. */
  readonly own?: boolean;
  /** A reader may want the page of the run. */
  readonly hasLink?: boolean;
  /** The same for programs. */
  readonly object: object;
}

/** A line of workerd's structured log. */
interface Written {
  readonly level?: string;
  /** The file of workerd that wrote the line. Absent: the Worker's console. */
  readonly source?: string;
  readonly message?: string;
}

interface LoggedByRun {
  readonly runId: string;
  readonly workflowId: string;
  readonly level: string;
  readonly message: string;
  readonly data?: unknown;
}

/** Text of the engine that only repeats what an event or this process says. */
const REPEATED = /^(?:holdfast: the step handler could not list its workflows|\{"message":"index rebuilt")/;

/** Returns the line for a line that workerd wrote; `undefined`: there is nothing to say. */
export function readWorkerdLine(written: string): Line | undefined {
  const { level = "log", message = written, source: writer } = (readObject(written) ?? {}) as Written;
  const { run, text } = readMark(message);
  const object = text.startsWith("{") ? readObject(text) : undefined;
  const { source, runId } = (object ?? {}) as { readonly source?: unknown; readonly runId?: unknown };
  if (source === "holdfast" && object !== undefined && "type" in object) return eventLine(object as TelemetryEvent);
  // The engine's own warnings about a run have no level.
  if (typeof runId === "string") return logLine({ level, ...object } as LoggedByRun);
  if (REPEATED.test(text) || (writer !== undefined && level !== "error")) return undefined;
  return { run, tone: toneOf(level), text, own: true, object: { type: "console", level, runId: run, message: text } };
}

/** How many runs are remembered: those of the newest lines. */
const REMEMBERED = 1_000;

/**
 * Which lines repeat the one before of the same run: what was between them has no line, such as a wait for the next attempt.
 * Lines of the user's code never do.
 */
export class Repeats {
  readonly #last = new Map<string, string>();

  isNew({ run, text, own, object }: Line): boolean {
    if (run === undefined) return true;
    const isEvent = own !== true && !("type" in object && object.type === "log");
    const repeats = isEvent && this.#last.get(run) === text;
    this.#last.delete(run);
    this.#last.set(run, isEvent ? text : "");
    const [oldest] = this.#last.keys();
    if (this.#last.size > REMEMBERED && oldest !== undefined) this.#last.delete(oldest);
    return !repeats;
  }
}

function logLine(line: LoggedByRun): Line {
  const { runId, workflowId, level, message, data } = line;
  const shown = data === undefined ? "" : ` ${JSON.stringify(data)}`;
  return {
    run: runId,
    workflow: workflowId,
    tone: toneOf(level),
    text: `${message}${shown}`,
    object: { type: "log", ...line },
  };
}

function toneOf(level: string): Tone {
  return level === "error" ? "bad" : level === "warn" ? "warning" : level === "debug" ? "dim" : "plain";
}

/** Returns the line of an event. A completed step has none. */
function eventLine(event: TelemetryEvent): Line | undefined {
  const said = textOf(event);
  const hasLink = event.type === "run.created" || (said?.tone === "bad" && event.type.startsWith("run."));
  return said && { run: event.runId, workflow: event.workflowId, ...said, hasLink, object: event };
}

function textOf(event: TelemetryEvent): Pick<Line, "tone" | "text"> | undefined {
  const { type, status = "", waits = [], attempt = 1 } = event;
  const why = problemOf(event);
  switch (type) {
    case "run.created":
      return { tone: "plain", text: status === "pending" ? "is scheduled" : "starts" };
    case "run.running":
      return { tone: "dim", text: "continues" };
    case "run.waiting":
      // Without a wait it waits for its next attempt, which the line before said.
      return waits.length === 0 ? undefined : { tone: "plain", text: `waits for ${waits.map(nameOf).join(", ")}` };
    case "run.paused":
      return why === ""
        ? { tone: "warning", text: "is paused" }
        : { tone: "bad", text: `is paused: ${why}\nFix the cause, then run: holdfast retry ${event.runId}` };
    case "run.ended":
      return {
        tone: status === "completed" ? "good" : "bad",
        text: `${ended(status)}${took(event)}${why && `: ${why}`}`,
      };
    case "step.retrying":
      return { tone: "warning", text: `retries ${nameOf(event.operation ?? "")} after attempt ${attempt}: ${why}` };
    case "step.failed":
      return { tone: "bad", text: `${nameOf(event.operation ?? "")} failed: ${why}` };
    case "dispatch.failed":
      return { tone: "warning", text: `cannot reach its code: ${why}` };
    default:
      return undefined;
  }
}

function ended(status: string): string {
  return status.replaceAll("_", " ");
}

function took({ durationMs }: TelemetryEvent): string {
  if (durationMs === undefined) return "";
  return ` after ${durationMs < 1_000 ? `${durationMs} ms` : `${(durationMs / 1_000).toFixed(1)} s`}`;
}

/** Code, message, and the places of the stack that are in the user's files. */
function problemOf({ code, message = "", stack = "" }: TelemetryEvent): string {
  if (code === undefined && message === "") return "";
  const at = stack.split("\n").filter((line) => /^\s+at /.test(line));
  const head = code === undefined || code === "ERROR" ? message : `${code}: ${message}`;
  return [head, ...at].join("\n");
}

/** An operation id for people: `step charge`, `signal approval`, `sleep`. */
function nameOf(operation: string): string {
  const [kind = "", , ...rest] = operation.split("/");
  const name = rest.join("/");
  if (kind === "sleep") return "a sleep";
  return `${kind === "run" ? "child run of" : kind} ${name}`;
}

function readObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
