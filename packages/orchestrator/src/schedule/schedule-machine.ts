/**
 * The machine of a schedule.
 *
 * Owns: what each message, command and answer does.
 *
 * Invariants
 * - SX1 Each input first decides what is due, so a late alarm makes no difference to what callers see (SCH5).
 */
import { HOST_LIMITS, RUN_STATUSES } from "@holdfast/protocol";
import {
  type CommandReply,
  type CoordinatorDraft,
  type CoordinatorHeader,
  type CoordinatorMachine,
} from "../host/coordinator.ts";
import type { SendResult } from "../host/outbox-sender.ts";
import type { WriteBatch } from "../host/store.ts";
import { cancelBackfill, continueBackfill, planBackfill } from "./backfill.ts";
import * as commands from "./commands.ts";
import { describeSchedule } from "./describe.ts";
import { type AskedRuns, ScheduleDraft, type ScheduleState } from "./draft.ts";
import { evaluate } from "./evaluate.ts";
import type { ProbeRun, RunStanding, ScheduleCommand, ScheduleMessage, ToSchedule } from "./messages.ts";
import {
  CONFIG_KEY,
  type LastRun,
  type ScheduleHeader,
  type TickOutcome,
  clockBack,
  nextAlarm,
  readScheduleRow,
} from "./rows.ts";
import { asksBackfill, asksFirst, noteNotAdmitted, startWaiting } from "./start-ticks.ts";

type Draft = CoordinatorDraft<ScheduleState>;

const NONE: AskedRuns = new Map();

const DONE: CommandReply = { type: "done", body: {} };

export const scheduleMachine: CoordinatorMachine<ScheduleState> = {
  kind: "schedule",
  load: (store, header) => ({ header, config: readScheduleRow(store, CONFIG_KEY), store }),
  first: firstHeader,
  applied: (state, batch) => {
    state.config = configIn(batch) ?? state.config;
  },
  nextAlarm,
  message: (draft: Draft, message: ToSchedule) => receive(new ScheduleDraft(draft, NONE), message),
  command: (draft: Draft, command: ScheduleCommand) => execute(new ScheduleDraft(draft, NONE), command),
  answered: (draft: Draft, message: ScheduleMessage | ProbeRun, result) => answered(draft, message, result),
  alarm: (draft) => alarm(new ScheduleDraft(draft, NONE)),
  clockBack: (draft, ms) => draft.change(clockBack(draft.header, ms)),
};

function firstHeader(common: CoordinatorHeader): ScheduleHeader {
  return {
    ...common,
    gone: true,
    environment: "",
    source: "api",
    createdAt: 0,
    createdBy: "",
    updatedAt: 0,
    watermark: 0,
    waiting: [],
    failures: 0,
    agains: 0,
    nextSeq: 1,
    counts: { fired: 0, failed: 0, skipped: {} },
    listed: { version: 0 },
  };
}

function configIn({ puts }: WriteBatch): ScheduleState["config"] {
  return readScheduleRow(puts, CONFIG_KEY);
}

/** Decides what is due, and starts what may start. */
function settle(draft: ScheduleDraft, begin: () => void = () => {}): void {
  if (!draft.exists) return begin();
  evaluate(draft);
  begin();
  proceed(draft);
}

function proceed(draft: ScheduleDraft): void {
  if (!draft.exists) return;
  startWaiting(draft);
  continueBackfill(draft);
  draft.report();
}

function alarm(draft: ScheduleDraft): void {
  if (!draft.exists) return draft.eraseIfDone();
  const { orphanedAt } = draft.header;
  if (orphanedAt !== undefined && orphanedAt + HOST_LIMITS.orphanMs <= draft.now) return commands.erase(draft);
  asksBackfill(draft);
  if (!asksFirst(draft)) settle(draft);
}

function receive(draft: ScheduleDraft, message: ToSchedule): SendResult {
  switch (message.type) {
    case "declare":
      settle(draft, () => commands.declare(draft, message));
      break;
    case "orphan":
      if (draft.exists) settle(draft, () => commands.orphan(draft, message));
      break;
    case "poke":
      // A schedule that the list knows and that does not exist any more leaves the list.
      if (draft.exists) settle(draft, () => draft.list());
      else return { type: "acknowledged", answer: "gone" };
      break;
    case "notAdmitted":
      if (draft.exists) settle(draft, () => noteNotAdmitted(draft, message.runId));
      break;
  }
  if (draft.exists) proceed(draft);
  return { type: "acknowledged" };
}

function execute(draft: ScheduleDraft, command: ScheduleCommand): CommandReply {
  if (command.type === "create") return run(draft, () => commands.create(draft, command));
  if (!draft.exists) return commands.refuse("not_found", "There is no such schedule.");
  switch (command.type) {
    case "update":
      return run(draft, () => commands.update(draft, command));
    case "pause":
      return run(draft, () => commands.pause(draft, command));
    case "resume":
      return run(draft, () => commands.resume(draft, command));
    case "trigger":
      return run(draft, () => commands.triggerNow(draft, command));
    case "backfill":
      return run(draft, () => commands.backfill(draft, command));
    case "cancelBackfill":
      return run(draft, () => {
        cancelBackfill(draft);
        return DONE;
      });
    case "delete":
      return run(draft, () => commands.remove(draft), {});
    case "planBackfill":
      return planBackfill(draft, command);
    case "read":
      return run(draft, () => DONE, command);
  }
}

/** Executes a command, and answers with the schedule, or with what only this command answers. */
function run(
  draft: ScheduleDraft,
  act: () => CommandReply,
  { limit = 20, before }: { readonly limit?: number; readonly before?: number | undefined } = {},
): CommandReply {
  let reply: CommandReply = DONE;
  settle(draft, () => {
    reply = act();
  });
  if (reply.type === "refused") return reply;
  proceed(draft);
  if (!draft.exists || reply.keep) return reply;
  return { type: "done", body: { ...reply.body, schedule: describeSchedule(draft, limit, before) } };
}

/** A message was acknowledged or refused finally, or a run was asked. */
function answered(base: Draft, message: ScheduleMessage | ProbeRun, result: SendResult): void {
  if (message.type === "probeRun") {
    const draft = new ScheduleDraft(base, new Map([[message.runId, standingIn(result)]]));
    return settle(draft);
  }
  const draft = new ScheduleDraft(base, NONE);
  if (message.type === "trigger") started(draft, message, result);
  if (draft.exists) proceed(draft);
  else if (message.type !== "listed" || result.type !== "unreachable") draft.eraseIfDone();
}

function standingIn(result: SendResult): RunStanding {
  if (result.type !== "acknowledged") return "unreachable";
  const { answer } = result;
  return answer === "gone" ? "gone" : (RUN_STATUSES.find((status) => status === answer) ?? "unreachable");
}

/** Notes that the run of a tick was started, or why it was not. */
function started(
  draft: ScheduleDraft,
  { trigger: { runId }, op }: Extract<ScheduleMessage, { type: "trigger" }>,
  result: SendResult,
): void {
  const state = result.type === "refused" ? "ended" : "running";
  const { last, backfill } = draft.header;
  const isOf = (one: LastRun | undefined): one is LastRun => one?.runId === runId && one.state === "starting";
  if (isOf(last)) draft.change({ last: { ...last, state } });
  if (isOf(backfill?.last)) draft.change({ backfill: { ...backfill, last: { ...backfill.last, state } } });
  const seq = Number(op.split("/")[1]);
  if (result.type === "refused" && draft.exists) draft.redecide(seq, refusedOutcome(draft, seq, runId, result));
}

function refusedOutcome(
  draft: ScheduleDraft,
  seq: number,
  runId: string,
  { error }: Extract<SendResult, { type: "refused" }>,
): TickOutcome {
  const { code = "INTERNAL", message } = error;
  if (code === "LIMIT_FULL") return { type: "skipped", reason: "limit" };
  // The run exists with the input of an earlier declaration.
  if (code === "IDEMPOTENCY_CONFLICT" && draft.tick(seq)?.kind === "backfill")
    return { type: "skipped", reason: "exists", by: runId };
  const retired = code === "WORKFLOW_NOT_FOUND" && draft.config.workflowVersion !== undefined;
  return { type: "failed", runId, code: retired ? "VERSION_RETIRED" : code, message };
}
