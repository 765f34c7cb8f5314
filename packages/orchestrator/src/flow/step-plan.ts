/**
 * The place that an attempt of a step needs: at which limit, with which key.
 *
 * Owns: STEP10: the check of the limit that a step names, and its key, from the input of the run as it was sent (FLOW2). What
 * `onFull`, `maxQueued` and `queueTimeout` say is for runs: a step waits.
 */
import { type GivenKey, HoldfastError, type StepLimit, decodeValue, defined, invalid } from "@holdfast/protocol";
import type { GateSettings } from "../gate/messages.ts";
import { readLimit } from "./declaration.ts";
import { type Read, InvalidKey, reader, textOf } from "./plan.ts";

/** What a step needs of a gate. */
export interface PlannedPlace {
  readonly limit: string;
  readonly key?: string;
  readonly scope?: "deployment";
  readonly settings: GateSettings;
  readonly group?: string;
}

/**
 * Computes the place of a step. `input`: the encoded input of its run. `rev`: the time of the Worker version. Returns the
 * message of the error with which the step fails, if its limit is invalid.
 */
export function planPlace(limit: StepLimit, input: () => string, rev: number, where: string): PlannedPlace | string {
  try {
    if (Object(limit) !== limit) throw invalid(`${where}.limit`, "must be a limit, as limit() returns it.");
    const { key, fair } = limit;
    const read = lazily(input);
    const { name, scope, settings } = readLimit(
      { ...limit, key: pathOf(key), fair: fair && { key: pathOf(fair.key) ?? "input" } },
      `${where}.limit`,
    );
    return defined({
      limit: name,
      key: key === undefined ? undefined : textOf(valueOf(key, read), `${where}.limit, key`),
      scope,
      settings: { rev, ...defined(settings) },
      group: fair === undefined ? undefined : textOf(valueOf(fair.key, read), `${where}.limit, fair.key`),
    });
  } catch (error) {
    if (error instanceof InvalidKey || error instanceof HoldfastError) return error.message;
    throw error;
  }
}

/** The path of a key. A key that the execution has computed needs no check. */
function pathOf(key: string | GivenKey | undefined): string | undefined {
  return typeof key === "object" ? "input" : key;
}

function valueOf(key: string | GivenKey, read: Read): unknown {
  if (typeof key === "string") return read(key, "key");
  try {
    return decodeValue(key.given);
  } catch {
    throw new InvalidKey("limit.key: the step handler sent a value that cannot be decoded.");
  }
}

function lazily(input: () => string): Read {
  let read: Read | undefined;
  return (key, what) => (read ??= reader(input()))(key, what);
}
