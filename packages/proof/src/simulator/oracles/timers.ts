/**
 * Oracle on times: no wait and no attempt is early, none is later than a bound, and delays obey the policy (WAIT1, STEP2,
 * DUR5, DUR9).
 *
 * Owns: the due times of open waits and of attempts, which it computes from the program and the clock alone.
 */
import type { JournalEntry } from "@holdfast/protocol";
import { RETRY } from "../program.ts";
import type { Commit, Requested, Watcher } from "./watcher.ts";

/** How late a timer may be in a world without faults, ms: an alarm is never set at or before now. */
const LATE_MS_MAX = 3;
/** How late a timer may be after the last fault, ms (DUR9). */
const LATE_AFTER_FAULT_MS_MAX = 60_000;
/** The share of a delay that the jitter may add. */
const JITTER_SHARE = 0.2;

export class Timers implements Watcher {
  readonly findings: string[] = [];
  readonly #requested = new Map<string, Requested>();
  /** The earliest time at which each wait may end and each attempt may start, ms since the epoch. */
  readonly #due = new Map<string, { readonly at: number; readonly length: number | undefined }>();
  #clockSetBack = false;
  #disturbedAt: number | undefined;
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  disturbed(): void {
    this.#disturbedAt = this.#now();
  }

  lost(): void {
    this.disturbed();
  }

  /** A timer for a duration may end one duration from now (WAIT1). Retries stay in the journal's time. */
  clockSetBack(): void {
    this.#clockSetBack = true;
    for (const [key, { at, length }] of this.#due) {
      if (length === undefined) this.#due.delete(key);
      else this.#due.set(key, { at: Math.min(at, this.#now() + length), length });
    }
  }

  requested(runId: string, op: string, what: Requested): void {
    this.#requested.set(`${runId} ${op}`, what);
  }

  bodyStarts(runId: string, op: string, _execution: number, abandoned: boolean): void {
    if (!abandoned) this.#checkDue(`${runId} ${op}`, this.#now());
  }

  committed(runId: string, { entries, now, before, after }: Commit): void {
    if (before?.status === "paused" || after?.status === "paused") this.disturbed();
    for (const entry of entries) {
      const key = `${runId} ${entry.op}`;
      if (entry.type === "wait.opened") this.#opened(key, entry, now);
      if (entry.type === "step.retrying") this.#retries(key, entry, now);
      const ends = entry.type === "wait.timed_out" || (entry.type === "wait.resolved" && entry.op.startsWith("sleep/"));
      if (ends) this.#checkDue(key, now);
    }
  }

  #opened(key: string, { wakeAt }: JournalEntry & { type: "wait.opened" }, now: number): void {
    const what = this.#requested.get(key);
    if (what?.kind !== "wait") return;
    const due = now + Math.max(what.ms, 0);
    this.#due.set(key, { at: due, length: due - now });
    if (wakeAt !== due) this.findings.push(`${key} ends ${String(wakeAt)} instead of ${due}`);
  }

  #retries(key: string, { retryAt, attempt, op, error }: JournalEntry & { type: "step.retrying" }, now: number): void {
    if (this.#clockSetBack) return;
    this.#due.set(key, { at: retryAt, length: undefined });
    const what = this.#requested.get(`${key.slice(0, key.indexOf(" "))} ${op.replace(/^compensation/, "step")}`);
    if (what?.kind !== "step") return;
    const delay = retryAt - now;
    // The compensation of a `once` step has the default policy.
    const { initial, maxDelay } = what.once ? { initial: 1_000, maxDelay: 60_000 } : RETRY;
    const plain = Math.min(initial * 2 ** (attempt - 1), maxDelay);
    const [least, most] =
      what.retryAfterMs === undefined || error.code !== "RETRYABLE"
        ? [plain, Math.min(Math.ceil(plain * (1 + JITTER_SHARE)), maxDelay)]
        : [what.retryAfterMs, what.retryAfterMs];
    if (delay < least || delay > most)
      this.findings.push(`${key}: the delay after attempt ${attempt} is ${delay} ms instead of ${least} to ${most}`);
  }

  #checkDue(key: string, now: number): void {
    const due = this.#due.get(key)?.at;
    if (due === undefined) return;
    this.#due.delete(key);
    if (now < due) this.findings.push(`${key} is ${due - now} ms early`);
    const late = now - Math.max(due, this.#disturbedAt ?? due);
    const bound = this.#disturbedAt === undefined ? LATE_MS_MAX : LATE_AFTER_FAULT_MS_MAX;
    if (late > bound) this.findings.push(`${key} is ${late} ms late`);
  }
}
