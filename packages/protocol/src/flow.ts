/**
 * The declaration of flow control on a workflow: limits, singleton, debounce, batch and priority.
 *
 * Owns: its types. The authors' package passes a declaration on as it is. `orchestrator/flow` checks it where a deployment
 * registers workflows, and names the field.
 *
 * Invariants
 * - FL1 A dispatcher that is not in the process of the code gets data: `FUNCTION` in place of a function.
 */
import { defined } from "./defined.ts";
import type { Duration } from "./durations.ts";
import type { EventUse } from "./events.ts";
import type { OperationId } from "./ids.ts";

/** A value of a run's input: a function, or a path such as `"input.customerId"`. */
export type FlowKey<Input = never> = string | ((input: Input) => unknown);

/** A limit of the tenant, or with `scope: "deployment"` of all tenants, by its name. */
export interface LimitOptions<Input = never> {
  /** Each value has a limit of its own. Absent: one limit for all runs. */
  readonly key?: FlowKey<Input> | undefined;
  /** How many runs hold at most. */
  readonly max?: number | undefined;
  /** At most `limit` starts in `per`, spread evenly, and `burst` more at once (default 0). */
  readonly rate?: { readonly limit: number; readonly per: Duration; readonly burst?: number | undefined } | undefined;
  /** What happens to a run that finds the limit full. Default `queue`. */
  readonly onFull?: "queue" | "reject" | "skip" | "replace" | undefined;
  /** How many runs wait at most. Default: no bound. */
  readonly maxQueued?: number | undefined;
  /** Which run a full queue drops. Default `newest`. */
  readonly dropQueued?: "newest" | "oldest" | undefined;
  /** A run that has not begun by then ends `failed` with `QUEUE_TIMEOUT`. */
  readonly queueTimeout?: Duration | undefined;
  /** Runs of different groups take turns. */
  readonly fair?: { readonly key: FlowKey<Input> } | undefined;
  readonly scope?: "tenant" | "deployment" | undefined;
}

/** A limit as a workflow declares it. */
export interface DeclaredLimit<Input = never> extends LimitOptions<Input> {
  readonly name: string;
  /** `run`: from start to end, undoing included. `active`: only while the run executes. Default `active`. */
  readonly mode?: "run" | "active" | undefined;
}

/** A value that a function gave for the input of a run, encoded. */
export interface GivenKey {
  readonly given: string;
}

/** The limit of a step, as its execution states it: data. A function was called where the step was requested. */
export interface StepLimit extends Omit<LimitOptions, "key" | "fair"> {
  readonly name: string;
  readonly key?: string | GivenKey | undefined;
  readonly fair?: { readonly key: string | GivenKey } | undefined;
}

/** An attempt of a step that has a place at the step's limit: its body may start (STEP10). */
export interface AdmittedStep {
  readonly op: OperationId;
  readonly attempt: number;
}

/** The part of a workflow's configuration that this file describes. */
export interface FlowOptions<Input = never> extends EventUse {
  /** At most four, with `singleton`. A run gets those of mode `run` first, by their names. */
  readonly limits?: readonly DeclaredLimit<Input>[] | undefined;
  /** At most one run, or one for each key, also while it waits or is paused. `onConflict` has the values of `onFull`. */
  readonly singleton?:
    | { readonly key?: FlowKey<Input> | undefined; readonly onConflict?: LimitOptions["onFull"] }
    | undefined;
  /** One run for all triggers of a window, which a trigger extends by `wait`, up to `maxWait` (default 10 × `wait`). */
  readonly debounce?:
    | {
        readonly key?: FlowKey<Input> | undefined;
        readonly wait: Duration;
        readonly maxWait?: Duration | undefined;
        /** The trigger whose input the run gets. Default `last`. */
        readonly take?: "last" | "first" | undefined;
      }
    | undefined;
  /** One run for a list of inputs, which starts after `max` items, `maxBytes` or `wait`. */
  readonly batch?:
    | {
        readonly key?: FlowKey<Input> | undefined;
        readonly max: number;
        readonly wait: Duration;
        readonly maxBytes?: number | undefined;
      }
    | undefined;
  /** Seconds of head start in each queue, from -86,400 to 86,400. */
  readonly priority?: FlowKey<Input> | undefined;
}

/** In place of a function, in a declaration that is data (FL1). */
export const FUNCTION: { readonly function: true } = { function: true };

/**
 * Returns the flow control of a definition; `undefined`: it has none. A definition passes its whole configuration on, which
 * costs the authors' package nothing.
 */
export function flowOf(config: FlowOptions | undefined): FlowOptions | undefined {
  if (config === undefined) return undefined;
  const { limits, singleton, debounce, batch, priority, on, cancelOn, events } = config;
  const flow = defined({ limits, singleton, debounce, batch, priority, on, cancelOn, events });
  return Object.keys(flow).length === 0 ? undefined : flow;
}

/** Returns it as data, for another process. */
export function flowAsData(config: FlowOptions | undefined): FlowOptions | undefined {
  const flow = flowOf(config);
  return flow && JSON.parse(JSON.stringify(flow, withoutFunctions));
}

function withoutFunctions(field: string, value: unknown): unknown {
  if (typeof value !== "function") return value;
  return field === "hold" ? undefined : FUNCTION;
}
