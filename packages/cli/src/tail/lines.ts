/**
 * The events of a run as lines for people.
 *
 * Owns: what each event says, and what is left out: a line says only what changed.
 */
import type { ListedRun, RunEvent, RunSummary } from "@holdfast/workflows/client";
import { type Paint, statusMark, statusStyle } from "../output/colours.ts";
import { errorText, fieldsOf, operationName } from "../output/entry-text.ts";
import { type Text, safe, safeJson } from "../output/safe-text.ts";
import { clock, duration, instant } from "../output/times.ts";
import { cut } from "../output/width.ts";

type StepEvent = Extract<RunEvent, { readonly type: "step" | "waitpoint" }>["data"];

const MESSAGE_CHARS = 200;

/** Turns the events of one run into lines. It remembers what it said. */
export class RunLines {
  readonly #paint: Paint;
  readonly #indent: string;
  #status = "";
  readonly #opened = new Map<string, number>();
  readonly #progress = new Map<string, string>();

  constructor(paint: Paint, depth: number) {
    this.#paint = paint;
    this.#indent = "  ".repeat(depth);
  }

  of(event: RunEvent, now: number): readonly Text[] {
    // A caller without the scope \`read\` gets the id and the status only.
    if (event.type === "run") return event.data.workflowId === undefined ? [] : this.#run(event.data);
    if (event.type === "step") return [this.#step(event.data)];
    if (event.type === "waitpoint") return this.#wait(event.data);
    if (event.type === "chunk") {
      const { stream, index, value } = event.data;
      return [this.#line(now, "·", "dim", safe`${stream} [${index}] ${short(safeJson(value))}`)];
    }
    if (event.type === "progress") return this.#progressLines(event.data.steps, now);
    return [];
  }

  /** The lines of steps and waits say what a run does; its own lines say when it starts, pauses and ends. */
  #run(run: RunSummary): readonly Text[] {
    const isFirst = this.#status === "";
    if (run.status === this.#status) return [];
    this.#status = run.status;
    if (isFirst) return [this.status(run, run.endedAt ?? run.createdAt)];
    return run.status === "running" || run.status === "waiting" ? [] : [this.status(run)];
  }

  /** One line about the status of a run. */
  status(run: ListedRun | RunSummary, at: number = run.endedAt ?? run.updatedAt): Text {
    const { status, id, workflowId, error, startedAt, endedAt } = run;
    const took = endedAt === undefined || startedAt === undefined ? "" : ` in ${duration(endedAt - startedAt)}`;
    const step = error?.step === undefined ? "" : `step ${error.step}: `;
    const why = error === undefined ? "" : `: ${step}${errorText(error)}`;
    const dispatch = "dispatch" in run && run.dispatch !== undefined ? ` (${run.dispatch.code})` : "";
    const name = this.#paint("bold", id);
    const state = this.#paint(statusStyle(status), safe`${statusMark(status)} ${status}`);
    const rest = short(took + dispatch + why);
    return safe`${this.#time(at)}${this.#indent}${name} ${this.#paint("dim", workflowId)} ${state}${rest}`;
  }

  #step(entry: StepEvent): Text {
    const { attempt = 1, startedAt, retryAt, error } = fieldsOf(entry);
    const took = startedAt === undefined ? "" : duration(Math.max(0, entry.at - startedAt));
    const kind = entry.operation.kind === "step" ? "" : `${entry.operation.kind} `;
    const undone = entry["compensation"] === true && kind === "" ? "compensation of " : "";
    const name = this.#paint(
      "bold",
      undone + (kind === "compensation " ? "compensation of " : kind) + operationName(entry),
    );
    if (retryAt !== undefined) {
      const next = duration(Math.max(0, retryAt - entry.at));
      const text = safe`${name} attempt ${attempt} failed after ${took}: ${short(errorText(error))}; retries in ${next}`;
      return this.#line(entry.at, statusMark("retrying").text, "yellow", text);
    }
    const attempts = attempt > 1 ? safe` (attempt ${attempt})` : safe``;
    const why = error === undefined ? safe`` : safe`: ${short(errorText(error))}`;
    const text = safe`${name}${attempts} ${entry.status === "completed" ? took : safe`${entry.status} ${took}`}${why}`;
    return this.#line(entry.at, statusMark(entry.status).text, statusStyle(entry.status), text);
  }

  #wait(entry: StepEvent): readonly Text[] {
    const { kind } = entry.operation;
    const key = `${kind}/${entry.occurrence}/${entry.name}`;
    const what = entry.name === "" || entry.name === kind ? kind : `${kind} ${operationName(entry)}`;
    if (entry.status === "open") {
      this.#opened.set(key, entry.at);
      return [this.#line(entry.at, "◐", "blue", safe`${this.#paint("bold", what)}${openText(entry)}`)];
    }
    const since = this.#opened.get(key);
    const took = since === undefined ? "" : ` after ${duration(entry.at - since)}`;
    this.#opened.delete(key);
    const { outcome } = fieldsOf(entry);
    const failed = outcome !== undefined && outcome.status !== "completed";
    const how = outcome === undefined ? entry.type.split(".")[1]?.replace("_", " ") : outcome.status;
    const status = failed ? "failed" : entry.type === "wait.timed_out" ? "retrying" : "completed";
    const text = safe`${this.#paint("bold", what)} ${how ?? ""}${took}`;
    return [this.#line(entry.at, statusMark(status).text, statusStyle(status), text)];
  }

  #progressLines(
    steps: Extract<RunEvent, { readonly type: "progress" }>["data"]["steps"],
    now: number,
  ): readonly Text[] {
    return steps.flatMap(({ name, occurrence, progress }) => {
      const key = `${occurrence}/${name}`;
      const text = safeJson(progress);
      if (this.#progress.get(key) === text) return [];
      this.#progress.set(key, text);
      return [this.#line(now, "…", "dim", safe`${name} ${short(text)}`)];
    });
  }

  #line(at: number, mark: string, style: Parameters<Paint>[0], text: Text): Text {
    return safe`${this.#time(at)}${this.#indent}  ${this.#paint(style, mark)} ${text}`;
  }

  #time(at: number): Text {
    return safe`${this.#paint("dim", clock(at))}  `;
  }
}

function openText(entry: StepEvent): string {
  const { wakeAt, runId } = fieldsOf(entry);
  if (runId !== undefined) return `: run ${runId}`;
  return wakeAt === undefined ? "" : ` until ${instant(wakeAt)} (${duration(Math.max(0, wakeAt - entry.at))})`;
}

/** Cuts a text of a run, which may be of any length. It has no lines: `safe` makes line breaks visible. */
function short(text: string): string {
  return cut(safe`${text}`.text, MESSAGE_CHARS);
}
