/**
 * The answers about limits as JSON Schema.
 */
import type {
  LimitChange,
  LimitHolder,
  LimitList,
  LimitQueued,
  LimitRecord,
  LimitSettings,
  LimitSync,
  WindowRecord,
} from "@holdfast/protocol";
import { type Fields, type JsonSchema, listOf, object, oneOf, ref, text, time, whole } from "./json-schemas.ts";

const LIMIT_RECORD: Fields<LimitRecord> = {
  name: text,
  "key?": { ...text, description: "Absent: the limit has no key." },
  max: { type: ["integer", "null"], description: "How many may hold. null: only the rate is limited." },
  declaredMax: { type: ["integer", "null"], description: "The same as the code declares it." },
  "rate?": {
    ...object<NonNullable<LimitRecord["rate"]>>({ limit: whole, perMs: whole, burst: whole }),
    description: "At most `limit` starts in `perMs`, and `burst` more.",
  },
  "maxQueued?": whole,
  rev: { ...time, description: "The time of the Worker version whose declaration applies." },
  "override?": object<NonNullable<LimitRecord["override"]>>({ max: whole, by: text, at: time }),
  "paused?": object<NonNullable<LimitRecord["paused"]>>({ by: text, at: time }),
  held: { ...whole, description: "Places that are taken." },
  holders: listOf(
    object<LimitHolder>({
      runId: text,
      workflowId: text,
      mode: oneOf("run", "active", "step"),
      since: time,
      state: oneOf("held", "granted", "unreachable", "replaced", "released"),
      "startAt?": time,
      "unreachableSince?": time,
      "replacedBy?": text,
      "reentrant?": { const: true, description: "It holds under a run that started it, and takes no place." },
    }),
  ),
  queued: whole,
  queue: listOf(
    object<LimitQueued>({
      runId: text,
      workflowId: text,
      since: time,
      "priority?": { type: "number", description: "Seconds of head start." },
      "group?": text,
    }),
  ),
  "next?": { ...text, description: "The run that is admitted next." },
  "nextStartAt?": time,
};

const SETTINGS = object<LimitSettings>({
  max: { type: ["integer", "null"], description: "null: only the rate is limited." },
  "rate?": object<NonNullable<LimitRecord["rate"]>>({ limit: whole, perMs: whole, burst: whole }),
  "maxQueued?": whole,
  "dropQueued?": oneOf("newest", "oldest"),
});

type Name = "LimitRecord" | "LimitList" | "LimitSync" | "LimitsRebuilt" | "Collected" | "WindowRecord";

export const LIMIT_ANSWERS: Readonly<Record<Name, JsonSchema>> = {
  LimitRecord: object<LimitRecord>(LIMIT_RECORD),
  LimitList: object<LimitList>({ limits: listOf(ref("LimitRecord")), nextCursor: { type: ["string", "null"] } }),
  LimitSync: object<LimitSync>({
    rev: { ...time, description: "The time of the Worker version that is served." },
    changes: listOf(
      object<LimitChange>({
        name: text,
        "key?": text,
        change: oneOf("changed", "unchanged", "undeclared", "voided"),
        rev: { ...time, description: "The time of the Worker version that declared what applies." },
        applies: SETTINGS,
        "declares?": { ...SETTINGS, description: "Absent: no workflow of the served code names the limit." },
      }),
    ),
    nextCursor: { type: ["string", "null"] },
  }),
  Collected: {
    ...object({
      id: { ...text, description: "The run that will start. It does not exist before." },
      status: { const: "pending" },
      state: oneOf("debounced", "batched"),
      startsAt: time,
      count: { ...whole, description: "The triggers that it stands for so far." },
    }),
    description: "The workflow collects triggers by debounce or batch.",
  },
  WindowRecord: object<WindowRecord>({
    workflowId: text,
    "key?": { ...text, description: "Absent: the debounce or batch has no key." },
    runId: { ...text, description: "The run that the triggers become." },
    state: oneOf("debounced", "batched", "fired", "cancelled"),
    startsAt: { ...time, description: "When the run starts, unless another trigger changes it." },
    "count?": { ...whole, description: "The triggers that the run stands for. Absent: the window is closed." },
  }),
  LimitsRebuilt: object({ asked: whole, nextCursor: { type: ["string", "null"] } }),
};
