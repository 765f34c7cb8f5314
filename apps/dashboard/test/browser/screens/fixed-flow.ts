/**
 * A limit, a schedule and an event of the pictures, as the API answers them.
 */
import type { EventRecord, LimitRecord, ScheduleRecord } from "@holdfast/workflows/client";
import { NOW } from "./fixed-clock.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export const FIXED_LIMIT: LimitRecord = {
  name: "customer",
  key: "c-42",
  max: 3,
  declaredMax: 2,
  rate: { limit: 500, perMs: MINUTE, burst: 50 },
  maxQueued: 1_000,
  rev: NOW - 3 * DAY,
  override: { max: 3, by: "ann", at: NOW - HOUR },
  held: 3,
  holders: [
    { runId: "order-8810", workflowId: "order", mode: "run", since: NOW - 22 * MINUTE, state: "held" },
    {
      runId: "order-8812",
      workflowId: "order",
      mode: "run",
      since: NOW - 14 * MINUTE,
      state: "unreachable",
      unreachableSince: NOW - 4 * MINUTE,
    },
    { runId: "refund-77", workflowId: "refund", mode: "active", since: NOW - 2 * MINUTE, state: "held" },
  ],
  queued: 3,
  queue: [
    { runId: "order-8815", workflowId: "order", since: NOW - 9 * MINUTE, priority: 60 },
    { runId: "order-8813", workflowId: "order", since: NOW - 12 * MINUTE },
    { runId: "order-8814", workflowId: "order", since: NOW - 11 * MINUTE },
  ],
  next: "order-8815",
};

const TWO_THIRTY = Date.parse("2026-11-24T01:30:00Z");

function next(day: number): ScheduleRecord["next"][number] {
  const nominal = TWO_THIRTY + day * DAY;
  const local = `${new Date(nominal + HOUR).toISOString().slice(0, 19)}+01:00`;
  return { nominal, fireAt: nominal + 4 * MINUTE, local };
}

const tick = { kind: "tick", outcome: "fired" } as const;

function fired(seq: number, day: number): ScheduleRecord["ticks"][number] {
  const nominal = TWO_THIRTY - day * DAY;
  const text = new Date(nominal).toISOString().replaceAll(/[-:]|\.\d+/g, "");
  const at = nominal + 4 * MINUTE;
  return { seq, ...tick, nominal, fireAt: at, at: at + 120, runId: `sch_nightly_${text}` };
}

export const FIXED_SCHEDULE: ScheduleRecord = {
  id: "nightly",
  description: "Reports what the shops of a region have sold.",
  workflowId: "report",
  tags: ["finance"],
  cron: ["30 2 * * *"],
  tz: "Europe/Berlin",
  spread: 600_000,
  overlap: "skip",
  catchUp: "latest",
  onFailures: { pauseAfter: 3 },
  source: "code",
  status: "active",
  createdAt: NOW - 90 * DAY,
  createdBy: "code",
  updatedAt: NOW - 3 * DAY,
  environment: "production",
  input: { region: "eu" },
  next: [next(1), next(2), next(3), next(4)],
  waiting: 0,
  failures: 0,
  counts: { fired: 88, failed: 1, skipped: { overlap: 2 } },
  lateMs: 120,
  ticks: [
    fired(91, 0),
    {
      ...fired(90, 1),
      runId: "sch_nightly_m_01KB",
      kind: "manual",
      by: "ann",
    },
    {
      seq: 89,
      kind: "tick",
      outcome: "skipped",
      reason: "overlap",
      nominal: TWO_THIRTY - DAY,
      fireAt: TWO_THIRTY - DAY,
      at: TWO_THIRTY - DAY + 240_000,
      byRunId: "sch_nightly_20261122T013000Z",
    },
    fired(88, 2),
  ],
  nextBefore: 88,
};

export const FIXED_EVENT: EventRecord = {
  id: "hook_stripe_evt_1Q",
  name: "order.paid",
  key: "o-42",
  source: "stripe",
  receivedAt: NOW - 3 * MINUTE,
  by: "hook stripe",
  data: { orderId: "o-42", cents: 12_900, currency: "eur", customer: { id: "c-42", country: "DE" } },
  targets: [
    { topic: "o-42", state: "delivered" },
    { trigger: "paid", workflowId: "fulfil", runId: "evt_8f2c71d0", state: "started" },
    {
      trigger: "books",
      workflowId: "bookkeeping",
      runId: "evt_17aa03be",
      state: "failed",
      code: "LIMIT_FULL",
      message: "The limit openai is full, and rejects runs.",
    },
  ],
  unmatched: [{ trigger: "large", workflowId: "review", reason: "data.cents gte 100000" }],
  replays: [],
};
