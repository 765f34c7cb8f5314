/**
 * The reasons for which a run is in its state, as the HTTP API shows them (WHY1).
 *
 * Owns: the closed table of codes, the actions that help with each, and the shape of an entry. The orchestrator computes the
 * entries; docs/reference/http-guide.md describes each code.
 */

/** An action that an entry may name: its scope, the end of its path, and the field of its body with the name of a wait. */
interface WhyActionRoute {
  readonly scope: "operate" | "trigger" | "deliver";
  readonly path: string;
  readonly field?: "name" | "eventType";
}

export type WhyActionName =
  | "unpauseRun"
  | "retryRun"
  | "cancelRun"
  | "terminateRun"
  | "resumeRun"
  | "deliverSignal"
  | "deliverEvent"
  | "resolveToken";

/** The actions by the ids of their routes. */
export const WHY_ACTIONS: Readonly<Record<WhyActionName, WhyActionRoute>> = {
  unpauseRun: { scope: "operate", path: "unpause" },
  retryRun: { scope: "operate", path: "retry" },
  cancelRun: { scope: "operate", path: "cancel" },
  terminateRun: { scope: "operate", path: "terminate" },
  resumeRun: { scope: "trigger", path: "resume" },
  deliverSignal: { scope: "deliver", path: "signals", field: "name" },
  deliverEvent: { scope: "deliver", path: "events", field: "eventType" },
  resolveToken: { scope: "deliver", path: "tokens" },
};

export type WhyCode =
  /** Newer code wrote the run. This version only shows it (VER4). */
  | "NEWER_FORMAT"
  /** An operator paused the run (CAN4). */
  | "PAUSED_BY_OPERATOR"
  /** The engine paused the run because of an error (CAN5). */
  | "PAUSED_BY_ENGINE"
  /** An operator holds the deployment (DUR12). */
  | "HELD"
  /** The code of the workflow cannot be reached (DUR8). */
  | "DISPATCH_FAILING"
  /** The execution does not answer pings (DUR11). */
  | "HANDLER_SILENT"
  /** The process of the execution ended. The watchdog begins another execution (DUR5). */
  | "EXECUTION_LOST"
  /** Too many runs execute (DUR13). */
  | "EXECUTIONS_MAX"
  /** The run waits for a limit that others hold (L1). */
  | "WAITING_FOR_LIMIT"
  /** A rate admits the run later (FLOW5). */
  | "RATE_LIMITED"
  /** The function awaits something that is no operation of `ctx`. */
  | "WAITING_FOR_NOTHING"
  | "COMPENSATION_RETRYING"
  | "STEP_RETRYING"
  | "WAITING_FOR_TOKEN"
  | "WAITING_FOR_SIGNAL"
  | "WAITING_FOR_EVENT"
  /** The run waits for an event with a key: an event that is sent, not a delivery to the run, ends the wait (EVT9). */
  | "WAITING_FOR_TOPIC"
  /** The start of a child is not acknowledged (CHILD4). */
  | "CHILD_STARTING"
  | "WAITING_FOR_CHILD"
  | "COMPENSATION_EXECUTING"
  | "STEP_EXECUTING"
  | "STREAM_EXECUTING"
  /** A stopped run executes its clean-up code (CAN2). */
  | "CLEANING_UP"
  /** The run compensates its steps, and none of them is known to execute (COMP1). */
  | "UNWINDING"
  /** The run starts later. */
  | "DELAYED"
  | "SLEEPING"
  /** The function executes, and none of its bodies is known to execute. */
  | "EXECUTING"
  | "COMPENSATION_FAILED"
  | "FAILED"
  | "CANCELLED"
  | "COMPENSATED"
  | "COMPLETED"
  /** Only with `?why=deep`: a child did not answer. */
  | "CHILD_NOT_READ"
  /** Further reasons, or children, which are not listed. */
  | "MORE";

/** The actions that help, by code. The order is that of the entries: the one to act on first is first. */
export const WHY_CODES: Readonly<Record<WhyCode, readonly WhyActionName[]>> = {
  NEWER_FORMAT: [],
  PAUSED_BY_OPERATOR: ["unpauseRun"],
  PAUSED_BY_ENGINE: ["retryRun", "cancelRun", "terminateRun"],
  HELD: [],
  DISPATCH_FAILING: ["terminateRun"],
  HANDLER_SILENT: ["terminateRun"],
  EXECUTION_LOST: [],
  EXECUTIONS_MAX: [],
  WAITING_FOR_LIMIT: ["cancelRun", "terminateRun"],
  RATE_LIMITED: ["cancelRun", "terminateRun"],
  WAITING_FOR_NOTHING: ["cancelRun", "terminateRun"],
  COMPENSATION_RETRYING: ["terminateRun"],
  STEP_RETRYING: [],
  WAITING_FOR_TOKEN: ["resolveToken"],
  WAITING_FOR_SIGNAL: ["deliverSignal"],
  WAITING_FOR_EVENT: ["deliverEvent"],
  WAITING_FOR_TOPIC: [],
  CHILD_STARTING: [],
  WAITING_FOR_CHILD: [],
  COMPENSATION_EXECUTING: [],
  STEP_EXECUTING: [],
  STREAM_EXECUTING: [],
  CLEANING_UP: ["terminateRun"],
  UNWINDING: ["terminateRun"],
  DELAYED: [],
  SLEEPING: [],
  EXECUTING: [],
  COMPENSATION_FAILED: ["resumeRun"],
  FAILED: ["resumeRun"],
  CANCELLED: ["resumeRun"],
  COMPENSATED: ["resumeRun"],
  COMPLETED: [],
  CHILD_NOT_READ: [],
  MORE: [],
};

/** An action that the API accepts while the run is in this state, and that helps. */
export interface WhyAction {
  /** The id of the route. */
  readonly action: WhyActionName;
  /** The scope that it needs. */
  readonly scope: WhyActionRoute["scope"];
  /** `POST` to this path. Absent: it contains the id of a token, which the caller may not see (SEC7). */
  readonly path?: string | undefined;
  /** The required fields of its body that are known. */
  readonly body?: Readonly<Record<string, string>> | undefined;
}

/** The operation for which a run waits, or whose body executes. */
export interface WhyTarget {
  readonly kind: string;
  readonly name: string;
  readonly occurrence: number;
  /** Of a child: the id of its run. */
  readonly runId?: string | undefined;
  /** Of a token, for callers with the scope `deliver`. */
  readonly tokenId?: string | undefined;
}

/** One reason. All times are milliseconds since 1970. */
export interface WhyEntry {
  readonly code: WhyCode;
  /** One line in English. It contains no times: they are in `since` and `until`. */
  readonly text: string;
  readonly since: number;
  /** The time of the timer that ends this state, or tries to. Absent: no timer does. */
  readonly until?: number | undefined;
  readonly for?: WhyTarget | undefined;
  /** The limit for which the run waits. `position`: its place in the queue, from 1, when the gate last answered. */
  readonly limit?: { readonly name: string; readonly key?: string | undefined; readonly position?: number | undefined };
  /** The events for which the run waits. `full`: the topic has no room for the run, which asks again (EVT10). */
  readonly topic?: { readonly name: string; readonly key: string; readonly full?: true };
  /** The path of the run, of the limit, or of the topic, for which this one waits. */
  readonly link?: string | undefined;
  /** The number of the attempt that executes, or that is next. */
  readonly attempt?: number | undefined;
  /** How many attempts the step may have, if it is known and bounded. */
  readonly attemptsMax?: number | undefined;
  /** The newest progress of the body, if it is known (STEP8). A long value is cut. */
  readonly progress?: unknown;
  /** The error of the last attempt, of the pause or of the end. Its message is cut. */
  readonly error?: { readonly code?: string | undefined; readonly message: string } | undefined;
  /** Of `MORE`: the number of reasons or children that are not listed. */
  readonly more?: number | undefined;
  /** Only with `?why=deep`: the descendant that the entry is about. Absent: the run itself. */
  readonly runId?: string | undefined;
  /** The number of generations between the run and that descendant. */
  readonly level?: number | undefined;
  readonly actions: readonly WhyAction[];
}

/** The first reason of a run in a list, at the time `asOf` of the run's newest row in the index (WHY5). */
export interface ListedWhy {
  readonly code: WhyCode;
  readonly since: number;
  readonly until?: number | undefined;
  readonly asOf: number;
}
