/**
 * The runs of the pictures: the same at every time and on every machine.
 *
 * Owns: what they are called and when things happened, before `NOW`. The journey is that of examples/gallery in virtual time.
 */
import type { AuditEntry, JournalEntry, ListedRun, RunRecord, RunStatus, WhyEntry } from "@holdfast/workflows/client";
import { JOURNEY_ASK } from "./fixed-asks.ts";
import { NOW } from "./fixed-clock.ts";
import { type Recorded, recordJourney } from "../../pictures/record-journey.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

interface FixedRun {
  readonly run: RunRecord;
  readonly entries: readonly JournalEntry[];
}

export interface FixedRuns {
  readonly list: readonly ListedRun[];
  readonly byId: ReadonlyMap<string, FixedRun>;
  readonly audit: readonly AuditEntry[];
}

export async function fixedRuns(): Promise<FixedRuns> {
  const { parent, child } = await recordJourney();
  const end = Number(parent.run["endedAt"]);
  const shift = NOW - 12 * MINUTE - end;
  const failed = ended(fixed(parent, shift), "COMPENSATED", "The run ended: compensated. The card has expired.");
  const visa = ended(fixed(child, shift), "COMPLETED", "The run ended: completed.");
  const waiting = waitingJourney(parent);
  const runs = [failed, visa, waiting];
  return {
    list: [
      listed(waiting.run),
      listed(failed.run),
      ...LIST.map(rowOf),
      { ...listed(visa.run), parent: { runId: failed.run.id } },
    ],
    byId: new Map(runs.map((one) => [one.run.id, one])),
    audit: [
      { at: failed.run.createdAt, action: "trigger", by: "ada" },
      { at: failed.run.createdAt + 19 * HOUR, action: "resolveToken", by: "grace", detail: "token" },
      {
        at: failed.run.createdAt + 5 * DAY,
        action: "deliverSignal",
        by: "shop",
        onBehalfOf: "u_4711",
        detail: "deposit",
      },
    ],
  };
}

function ended({ run, entries }: FixedRun, code: WhyEntry["code"], text: string): FixedRun {
  return { run: { ...run, why: [{ code, text, since: run.updatedAt, actions: [] }] }, entries };
}

/** The journey while it waits for people. */
function waitingJourney(parent: Recorded): FixedRun {
  const { run, entries } = fixed(parent, 0);
  const at = entries.findIndex(({ operation, type }) => operation.kind === "token" && type === "wait.opened");
  const opened = entries[at]?.at ?? 0;
  const shift = NOW - 5 * HOUR - 20 * MINUTE - opened;
  const record: RunRecord = {
    ...run,
    id: "journey-8",
    status: "waiting",
    phase: "forward",
    error: undefined,
    steps: run.steps.slice(0, 4),
    metadata: { phase: "booking" },
    pendingWaitpoints: [
      {
        id: "token/0/token",
        kind: "MANUAL",
        meta: { tokenId: "tok_7Q2", ask: JOURNEY_ASK },
        wakeAt: opened + shift + 7 * DAY,
      },
    ],
    tags: ["vip", "spring"],
    input: { traveller: "Ada Lovelace", from: "LHR", to: "HND", nights: 6 },
    createdAt: run.createdAt + shift,
    startedAt: run.createdAt + shift,
    updatedAt: opened + shift,
    endedAt: undefined,
    why: [
      {
        code: "WAITING_FOR_TOKEN",
        text: 'Waits for an answer: "Approve the journey to Tokyo?"',
        since: opened + shift,
        until: opened + shift + 7 * DAY,
        for: { kind: "token", name: "token", occurrence: 0 },
        actions: [{ action: "resolveToken", scope: "deliver" }],
      },
    ],
  };
  // A cast: moving changes no type.
  return { run: record, entries: moveTimes(entries.slice(0, at + 1), shift) as readonly JournalEntry[] };
}

function fixed({ run, entries }: Recorded, shift: number): FixedRun {
  const moved = moveTimes(
    { run: { ...run, input: { traveller: "Grace Hopper", from: "JFK", to: "HND", nights: 4 } }, entries },
    shift,
  );
  // A cast: moving changes no type, and the fields of the record are those of the API.
  return moved as FixedRun;
}

/** Moves each time in a value. */
function moveTimes(value: unknown, ms: number): unknown {
  if (Array.isArray(value)) return value.map((one: unknown) => moveTimes(one, ms));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]: [string, unknown]) => [
      name,
      typeof member === "number" && /^(?:at|.+At)$/.test(name) ? member + ms : moveTimes(member, ms),
    ]),
  );
}

function listed({
  id,
  workflowId,
  status,
  error,
  createdAt,
  startedAt,
  endedAt,
  updatedAt,
  tags,
  why,
}: RunRecord): ListedRun {
  const [first] = why;
  const base = { ...ROW, id, workflowId, status, tags, createdAt, startedAt, endedAt, updatedAt };
  return { ...base, error, ...(first === undefined ? {} : { why: { ...first, asOf: NOW } }) };
}

const ROW = { workflowVersion: null, tags: [], environment: "production", triggeredBy: "shop" };

/** Status, id, workflow, version, minutes since its creation, minutes that it took, and more fields. */
type Row = readonly [RunStatus, string, string, string | null, number, number | undefined, Partial<ListedRun>?];

const LIST: readonly Row[] = [
  ["running", "invoice-20931", "invoice", "3", 0.4, undefined, { why: waitingFor("STEP_EXECUTING", 0.3) }],
  ["completed", "order-118204", "order", "12", 2, 0.05, { tags: ["vip"] }],
  ["waiting", "order-118203", "order", "12", 4, undefined, { why: waitingFor("STEP_RETRYING", 1, 2) }],
  [
    "waiting",
    "contract-771",
    "contract",
    null,
    31,
    undefined,
    { why: waitingFor("WAITING_FOR_SIGNAL", 30, 4_000), tags: ["emea"] },
  ],
  ["paused", "import-2026-11-24", "import", "1", 47, undefined, { why: waitingFor("PAUSED_BY_OPERATOR", 12) }],
  ["completed", "order-118202", "order", "12", 58, 0.07],
  ["compensated", "order-118201", "order", "12", 75, 1.4, { error: errorOf("The card has expired.") }],
  [
    "waiting",
    "onboarding-acme",
    "onboarding",
    "2",
    190,
    undefined,
    { why: waitingFor("SLEEPING", 180, 1_200), tags: ["acme", "trial"] },
  ],
  ["pending", "report-2026-11", "report", null, 200, undefined, { why: waitingFor("DELAYED", 200, 700) }],
  ["failed", "payout-5521", "payout", "4", 260, 0.6, { error: errorOf("The account 5521 is closed.") }],
  ["cancelled", "order-118199", "order", "11", 300, 12],
  ["completed", "order-118198", "order", "11", 340, 0.06],
];

function rowOf([status, id, workflowId, workflowVersion, ago, took, more]: Row): ListedRun {
  const createdAt = NOW - ago * MINUTE;
  const endedAt = took === undefined ? undefined : createdAt + took * MINUTE;
  const startedAt = status === "pending" ? undefined : createdAt;
  const times = { createdAt, startedAt, endedAt, updatedAt: endedAt ?? createdAt };
  return { ...ROW, ...times, status, id, workflowId, workflowVersion, ...more };
}

function waitingFor(
  code: NonNullable<ListedRun["why"]>["code"],
  since: number,
  until?: number,
): NonNullable<ListedRun["why"]> {
  return {
    code,
    asOf: NOW,
    since: NOW - since * MINUTE,
    ...(until === undefined ? {} : { until: NOW + until * MINUTE }),
  };
}

function errorOf(message: string): NonNullable<ListedRun["error"]> {
  return { category: "USER_ERROR", name: "FatalError", message };
}
