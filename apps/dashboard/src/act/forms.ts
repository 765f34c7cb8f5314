/**
 * The forms of the actions: from what the reader typed to the request and to the command.
 *
 * Owns: which fields an action has, and what is wrong with them before anything is sent. The ids of a form are made once, so
 * that the same request may be sent again.
 */
import type { RunActionName } from "@holdfast/workflows/client";
import { parseJson } from "../ui/json-text.ts";
import { type ApiRequest, newId, pathOf } from "./request.ts";
import { type Command, isLong, jsonLine } from "./shell.ts";

/** What the reader typed. A form uses the fields of its action. */
export interface Fields {
  /** The name of a signal, or the type of an event. */
  readonly name: string;
  /** The payload of a delivery, or the input of a run: JSON. Empty: none. */
  readonly json: string;
  readonly reason: string;
  readonly tokenId: string;
  /** The id of a delivery, or of the new run. */
  readonly id: string;
  /** The step from which a resume executes again. */
  readonly step: Step | undefined;
  /** Results of steps by name, as JSON. */
  readonly results: Readonly<Record<string, string>>;
}

export interface Step {
  readonly name: string;
  readonly occurrence: number;
}

export type FieldName = keyof Fields;

export interface Prepared {
  readonly request: ApiRequest;
  /** The arguments of the command. `undefined`: it cannot express the request. */
  readonly command: Command | undefined;
  /** By field. With a problem, nothing is sent. */
  readonly problems: Readonly<Partial<Record<FieldName, string>>>;
}

export function newFields(given: Partial<Fields> = {}): Fields {
  return { name: "", json: "", reason: "", tokenId: "", id: newId(), step: undefined, results: {}, ...given };
}

/** `origin`: of the server, which the command names. */
export function prepare(action: RunActionName, runId: string, fields: Fields, origin: string): Prepared {
  const problems: Partial<Record<FieldName, string>> = {};
  const json = valueOf(fields.json, problems);
  switch (action) {
    case "deliverSignal":
    case "deliverEvent":
      if (fields.name === "") problems.name = "A name is needed.";
      return { ...delivery(action, runId, fields, json, origin), problems };
    case "resolveToken":
      if (fields.tokenId === "") problems.tokenId = "A token is needed: the run waits for none.";
      return {
        request: {
          verb: "POST",
          path: pathOf(runId, "tokens", fields.tokenId),
          body: withoutAbsent({ payload: json }),
        },
        command: withInput(origin, ["token", "answer"], [runId, fields.tokenId], json),
        problems,
      };
    case "resumeRun":
      return resume(runId, fields, json, origin, problems);
    case "deleteRun":
      return {
        request: { verb: "DELETE", path: pathOf(runId) },
        command: command(origin, ["delete"], [runId]),
        problems,
      };
    case "terminateRun":
      if (fields.reason.trim() === "") problems.reason = "A reason is needed: it is stored with the run.";
      return { ...operation("terminate", runId, fields.reason, origin), problems };
    case "cancelRun":
    case "pauseRun":
      return { ...operation(VERBS[action], runId, fields.reason || undefined, origin), problems };
    case "unpauseRun":
    case "retryRun":
      return { ...operation(VERBS[action], runId, undefined, origin), problems };
  }
}

const VERBS = { cancelRun: "cancel", pauseRun: "pause", unpauseRun: "unpause", retryRun: "retry" } as const;

function operation(
  verb: string,
  runId: string,
  reason: string | undefined,
  origin: string,
): Omit<Prepared, "problems"> {
  return {
    request: { verb: "POST", path: pathOf(runId, verb), body: withoutAbsent({ reason }) },
    command: command(origin, [verb, ...option("--reason", reason)], [runId]),
  };
}

function delivery(
  action: "deliverSignal" | "deliverEvent",
  runId: string,
  { name, id }: Fields,
  payload: unknown,
  origin: string,
): Omit<Prepared, "problems"> {
  const isSignal = action === "deliverSignal";
  const body = withoutAbsent({ ...(isSignal ? { name } : { eventType: name }), payload, deliveryId: id });
  const verb = isSignal ? ["signal"] : ["event", "send"];
  return {
    request: { verb: "POST", path: pathOf(runId, isSignal ? "signals" : "events"), body },
    command: withInput(origin, [...verb, `--delivery-id=${id}`], [runId, name], payload),
  };
}

function resume(
  runId: string,
  fields: Fields,
  input: unknown,
  origin: string,
  problems: Partial<Record<FieldName, string>>,
): Prepared {
  const { id, step } = fields;
  const seedResults = seedsOf(fields.results, problems);
  const from = step === undefined || step.occurrence > 0 ? step : step.name;
  const body = withoutAbsent({ runId: id, input, resumeFromStep: from, seedResults });
  const options = [
    `--id=${id}`,
    ...option("--step", step?.name),
    ...option("--occurrence", step !== undefined && step.occurrence > 0 ? String(step.occurrence) : undefined),
    ...(seedResults === undefined ? [] : [`--seed=${jsonLine(seedResults)}`]),
  ];
  const isTooLong = seedResults !== undefined && isLong(jsonLine(seedResults));
  return {
    request: { verb: "POST", path: pathOf(runId, "resume"), body },
    command: isTooLong ? undefined : withInput(origin, ["resume", ...options], [runId], input),
    problems,
  };
}

function seedsOf(
  results: Fields["results"],
  problems: Partial<Record<FieldName, string>>,
): Readonly<Record<string, unknown>> | undefined {
  const names = Object.keys(results);
  if (names.length === 0) return undefined;
  const parsed = names.map((name) => [name, parseJson(results[name] ?? "")] as const);
  const wrong = parsed.find(([, { kind }]) => kind !== "value");
  if (wrong !== undefined) problems.results = `The result of ${JSON.stringify(wrong[0])} is no JSON value.`;
  // `fromEntries` defines fields, also one named `__proto__`.
  return Object.fromEntries(parsed.map(([name, one]) => [name, one.kind === "value" ? one.value : undefined]));
}

/** Returns the value of the field `json`; `undefined` if it is empty, or not JSON. */
function valueOf(json: string, problems: Partial<Record<FieldName, string>>): unknown {
  const parsed = parseJson(json);
  if (parsed.kind === "invalid")
    problems.json = `Line ${parsed.problem.line}, column ${parsed.problem.column}: ${parsed.problem.message}`;
  return parsed.kind === "value" ? parsed.value : undefined;
}

export function withoutAbsent(body: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
}

/** An option with a value in one argument: a value that begins with a dash is no other option then. */
export function option(name: string, value: string | undefined): readonly string[] {
  return value === undefined ? [] : [`${name}=${value}`];
}

/** `--` ends the options: an id may begin with a dash. The id `-` stands for stdin, and no command can name that run. */
export function command(origin: string, verb: readonly string[], ids: readonly string[]): Command | undefined {
  return ids[0] === "-" ? undefined : { args: ["npx", "holdfast", ...verb, `--url=${origin}`, "--", ...ids] };
}

export function withInput(
  origin: string,
  verb: readonly string[],
  ids: readonly string[],
  value: unknown,
): Command | undefined {
  if (value === undefined) return command(origin, verb, ids);
  const json = jsonLine(value);
  if (!isLong(json)) return command(origin, [...verb, `--input=${json}`], ids);
  const reading = command(origin, [...verb, "--input=-"], ids);
  return reading && { ...reading, stdin: json };
}
