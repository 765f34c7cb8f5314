/**
 * One execution that is kept between turns.
 *
 * Owns: what the execution has said and is not yet answered (U2), and telling whether it will say more by itself.
 */
import {
  type ErrorValue,
  type ExecutionPort,
  type ExecutionReport,
  type ExecutionUpdate,
  type LiveExecution,
  type ReportAnswer,
  type TurnContent,
  type TurnRequest,
  endsRun,
} from "@holdfast/protocol";
import { webPlatform } from "../replay/platform.ts";

/** A report that waits for its answer. */
interface Outgoing {
  readonly number: number;
  readonly report: ExecutionReport;
  readonly resolve: (answer: ReportAnswer) => void;
}

export class Session {
  #live: LiveExecution | undefined;
  #turn = 0;
  #reports = 0;
  #outgoing: Outgoing | undefined;
  /** Updates that were taken, and those that came before their turn. */
  #updates = 0;
  readonly #early = new Map<number, ExecutionUpdate>();
  #lost: ErrorValue | undefined;
  /** The execution was told that it is parked, and of nothing since. */
  #parked = false;
  /** Its end was accepted, or it was aborted. */
  over = false;
  usedAt: number = webPlatform.now();
  #notify: (() => void)[] = [];

  /** What the execution speaks through. */
  readonly port: ExecutionPort = {
    remote: true,
    report: (report) =>
      new Promise((resolve) => {
        this.#reports += 1;
        this.#outgoing = { number: this.#reports, report, resolve };
        this.#wakeAll();
      }),
    lost: (error) => {
      this.#lost = error;
      this.#wakeAll();
    },
  };

  begin(live: LiveExecution): void {
    this.#live = live;
  }

  /** Nothing executes and nobody waits: what is lost with it costs a replay and nothing else. */
  get isAtRest(): boolean {
    return this.over || this.#lost !== undefined || (this.#parked && this.#outgoing === undefined);
  }

  drop(): void {
    this.over = true;
    this.#live?.abort({ type: "superseded" });
    this.#wakeAll();
  }

  /** Takes what is new and waits, at most `waitMs`, until there is something to say. */
  async turn(request: TurnRequest, waitMs: number): Promise<TurnContent> {
    this.usedAt = webPlatform.now();
    if (request.aside === true || request.turn > this.#turn) this.#take(request);
    const answer =
      this.#say() ??
      (request.aside === true ? { type: "idle" } : await this.#wait(Math.min(waitMs, request.waitMs ?? waitMs)));
    this.usedAt = webPlatform.now();
    return answer;
  }

  #take({ turn, answer, updates = [], updatesBefore = 0, abort, aside }: TurnRequest): void {
    // What goes beside the turns may overtake them, and must not make one look like a repeated one (U1).
    if (aside !== true) this.#turn = turn;
    if (answer !== undefined) this.#takeAnswer(answer.report, answer.answer);
    this.#takeUpdates(updatesBefore, updates);
    if (abort === undefined) return;
    this.over = true;
    this.#live?.abort(abort);
    this.#wakeAll();
  }

  /** In their order, each once (U3). */
  #takeUpdates(before: number, updates: readonly ExecutionUpdate[]): void {
    for (const [place, update] of updates.entries()) {
      if (before + place >= this.#updates) this.#early.set(before + place, update);
    }
    for (let next = this.#early.get(this.#updates); next !== undefined; next = this.#early.get(this.#updates)) {
      this.#early.delete(this.#updates);
      this.#updates += 1;
      this.#parked = false;
      this.#live?.update(next);
    }
  }

  #takeAnswer(number: number, answer: ReportAnswer): void {
    const outgoing = this.#outgoing;
    if (outgoing?.number !== number) return;
    this.#outgoing = undefined;
    this.over ||= !answer.accepted || endsRun(outgoing.report.events.at(-1));
    this.#parked = answer.accepted && answer.parked === true;
    outgoing.resolve(answer);
  }

  /** What there is to say now; `undefined`: it may come yet. */
  #say(): TurnContent | undefined {
    if (this.#lost !== undefined) return { type: "lost", error: this.#lost };
    if (this.#outgoing !== undefined) {
      const { number, report } = this.#outgoing;
      return { type: "report", number, report, inProgress: this.#inProgress() };
    }
    return this.over || this.#parked ? { type: "idle" } : undefined;
  }

  #inProgress(): ReturnType<NonNullable<LiveExecution["stepsInProgress"]>> {
    return this.#live?.stepsInProgress?.() ?? [];
  }

  async #wait(ms: number): Promise<TurnContent> {
    await new Promise<void>((resolve) => {
      const cancel = webPlatform.setTimer(ms, resolve);
      this.#notify.push(() => {
        cancel();
        resolve();
      });
    });
    return this.#say() ?? { type: "busy", inProgress: this.#inProgress() };
  }

  #wakeAll(): void {
    for (const wake of this.#notify.splice(0)) wake();
  }
}
