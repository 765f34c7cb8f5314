/**
 * The form of a new run: from what the reader typed to the request and to the command.
 *
 * Owns: its fields, and what is wrong with them before anything is sent. The id of the run is made when the form opens, so
 * the same request may be sent again and starts one run.
 */
import type { RunOverview, TriggerOptions } from "@holdfast/workflows/client";
import { parseJson } from "../ui/json-text.ts";
import { option, withInput, withoutAbsent } from "./forms.ts";
import { type ApiRequest, newId } from "./request.ts";
import type { Command } from "./shell.ts";

export interface StartFields {
  readonly workflowId: string;
  readonly version: string;
  /** The input, as JSON. Empty: none. */
  readonly json: string;
  readonly id: string;
  readonly key: string;
  /** One a line. */
  readonly tags: string;
  readonly delay: string;
  readonly timeout: string;
}

export type StartProblems = Readonly<Partial<Record<keyof StartFields, string>>>;

export interface PreparedStart {
  readonly request: ApiRequest;
  readonly input: unknown;
  readonly options: TriggerOptions;
  readonly command: Command | undefined;
  readonly problems: StartProblems;
}

export function newStart(given: Partial<StartFields> = {}): StartFields {
  return { workflowId: "", version: "", json: "", id: newId(), key: "", tags: "", delay: "", timeout: "", ...given };
}

/** The fields of a run that another one shall be like. A record that cuts values may not have the input as it is. */
export function startLike(run: RunOverview): Partial<StartFields> {
  const { workflowId, workflowVersion, tags, timeoutMs, truncated } = run;
  const input = truncated === true ? undefined : run.input;
  return {
    workflowId,
    version: workflowVersion ?? "",
    json: input === undefined ? "" : JSON.stringify(input, null, 2),
    tags: tags.join("\n"),
    timeout: timeoutMs === undefined ? "" : `${timeoutMs}ms`,
  };
}

export function prepareStart(fields: StartFields, origin: string): PreparedStart {
  const { workflowId, version, id, key, delay, timeout } = fields;
  const parsed = parseJson(fields.json);
  const input = parsed.kind === "value" ? parsed.value : undefined;
  const tags = tagsOf(fields.tags);
  const options = withoutAbsent({
    workflowVersion: textOf(version),
    idempotencyKey: textOf(key),
    runId: textOf(id),
    tags: tags.length === 0 ? undefined : tags,
    delay: textOf(delay),
    timeout: textOf(timeout),
  });
  const flags = [
    ...option("--workflow-version", textOf(version)),
    ...option("--id", textOf(id)),
    ...option("--key", textOf(key)),
    ...tags.map((tag) => `--tag=${tag}`),
    ...option("--delay", textOf(delay)),
    ...option("--budget", textOf(timeout)),
  ];
  return {
    request: { verb: "POST", path: "/api/runs", body: withoutAbsent({ workflowId, ...options, input }) },
    input,
    options,
    command: withInput(origin, ["start", ...flags], [workflowId], input),
    problems: problemsOf(fields, parsed),
  };
}

function problemsOf({ workflowId, id, key }: StartFields, parsed: ReturnType<typeof parseJson>): StartProblems {
  return {
    ...(workflowId === "" ? { workflowId: "Choose a workflow, or type its id." } : {}),
    ...(parsed.kind === "invalid" ? { json: parsed.problem.message } : {}),
    ...(id === "" && key === ""
      ? { id: "Give an id or an idempotency key, so that a repeated start finds the same run." }
      : {}),
  };
}

function tagsOf(text: string): readonly string[] {
  return [...new Set(text.split(/\r?\n/).filter((tag) => tag !== ""))];
}

function textOf(text: string): string | undefined {
  return text === "" ? undefined : text;
}

/** The fields of the form by the fields of the body. */
export const START_FIELDS: Readonly<Record<string, keyof StartFields>> = {
  workflowId: "workflowId",
  workflowVersion: "version",
  input: "json",
  runId: "id",
  idempotencyKey: "key",
  tags: "tags",
  delay: "delay",
  timeout: "timeout",
};
