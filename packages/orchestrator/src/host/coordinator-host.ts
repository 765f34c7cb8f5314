/**
 * The host of a coordinator, the same for each kind and each platform.
 *
 * Owns: the performance of effects: the messages of the outbox, and questions that are not stored.
 * Interface: an adapter supplies a store, a clock and a sender, and calls `receive`, `command` and `alarm`.
 *
 * Invariants
 * - CH1 An object that newer code wrote is not changed: its senders keep their messages, and its alarm fires again (VER4).
 */
import { type Address, FORMAT_VERSION, HOST_LIMITS, assert } from "@holdfast/protocol";
import type { RequestKey } from "./acts.ts";
import {
  COORDINATOR_OUTBOX,
  type CommandReply,
  type CoordinatorEffect,
  type CoordinatorHeader,
  type CoordinatorInput,
  type CoordinatorMachine,
  type CoordinatorOutboxRow,
  type CoordinatorReply,
  type CoordinatorSelf,
  type CoordinatorState,
  type CountedThing,
  alarmOf,
  isOutboxRow,
  toMachine,
} from "./coordinator.ts";
import { MachineHost } from "./machine-host.ts";
import { OutboxSender, type SendResult } from "./outbox-sender.ts";
import type { RunStore } from "./store.ts";

export interface CoordinatorHostOptions {
  readonly machine: CoordinatorMachine;
  readonly self: CoordinatorSelf;
  readonly store: RunStore;
  /** Returns the time, ms since 1970. */
  readonly clock: () => number;
  /** Sends a message to another object, and calls `done` once with the result. */
  readonly send: (to: Address, message: object, done: (result: SendResult) => void) => void;
  /** Alarms do nothing: an operator holds the deployment (DUR12). */
  readonly held?: boolean | undefined;
  /** Called for what is counted, after its commit. `outcome`: one of few texts, or empty. */
  readonly count?: ((what: CountedThing, outcome: string) => void) | undefined;
  /** Deletes all rows and the alarm. */
  readonly erase: () => void;
  /** Called with an error of the store when no caller waits for an answer. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

export class CoordinatorHost {
  readonly #options: CoordinatorHostOptions;
  readonly #host: MachineHost<CoordinatorState, CoordinatorInput, CoordinatorEffect, CoordinatorReply>;
  #sender: OutboxSender<CoordinatorOutboxRow, SendResult>;
  /** Replaced when the rows are erased. A result of an earlier life is ignored: keys of messages repeat (CO1). */
  #life: object = {};
  /** Whether the object was loaded with pending messages, and none was sent since. */
  #loadedWithMessages = false;

  constructor(options: CoordinatorHostOptions) {
    const { store, machine, self, clock } = options;
    this.#options = options;
    this.#sender = this.#newSender();
    this.#host = new MachineHost<CoordinatorState, CoordinatorInput, CoordinatorEffect, CoordinatorReply>(
      store,
      toMachine(machine, () => ({ self, now: clock() })),
      {
        perform: (effect) => this.#perform(effect),
        loaded: ({ header }) => {
          this.#loadedWithMessages = (header?.outbox.count ?? 0) > 0;
        },
        committed: () => {},
        dropped: () => {
          this.#sender = this.#newSender();
        },
      },
    );
  }

  get header(): CoordinatorHeader | undefined {
    return this.#host.state.header;
  }

  /** The time of the alarm that the object needs, ms since 1970; `null`: none. */
  get wantedAlarm(): number | null {
    const { header } = this;
    return header === undefined ? null : alarmOf(this.#options.machine, header);
  }

  /** Handles a message of another object. */
  receive(message: object): SendResult {
    if (this.#isNewer) return { type: "unreachable" };
    const reply = this.#handle({ type: "message", message });
    assert("result" in reply, "a message is answered with a result");
    return reply.result;
  }

  /** Handles a command of the Worker. `request`: a repeated request has the same key, and no effect again (API10). */
  command(command: object, request?: RequestKey): CommandReply {
    if (this.#isNewer) {
      const message = "A newer version of Holdfast wrote this object. Deploy that version again.";
      return { type: "refused", code: "newer_format", message };
    }
    const reply = this.#handle({ type: "command", command, request });
    assert("reply" in reply, "a command is answered with a reply");
    return reply.reply;
  }

  alarm(): void {
    if (this.#options.held === true || this.#isNewer) {
      const alarm = this.wantedAlarm === null ? null : this.#options.clock() + HOST_LIMITS.heldAlarmMs;
      this.#options.store.commit({ puts: new Map(), deletes: new Set(), alarm });
      return;
    }
    this.#handle({ type: "alarm" });
  }

  /** Drops the state in memory, as an eviction does. */
  forget(): void {
    this.#host.forget();
  }

  get #isNewer(): boolean {
    return (this.header?.v ?? 0) > FORMAT_VERSION;
  }

  #handle(input: CoordinatorInput): CoordinatorReply {
    const reply = this.#host.handle(input);
    // Messages found at load are not in flight: send them now.
    if (this.#loadedWithMessages) {
      this.#loadedWithMessages = false;
      this.#sender.send(false);
    }
    return reply;
  }

  /** Handles an input for which no caller waits. If the commit fails, the alarm already set continues (DUR5). */
  #handleAlone(input: CoordinatorInput, life: object): void {
    if (life !== this.#life) return;
    try {
      this.#handle(input);
    } catch (error) {
      this.#options.onError?.(error);
    }
  }

  #perform(effect: CoordinatorEffect): void {
    const life = this.#life;
    switch (effect.type) {
      case "send":
        this.#loadedWithMessages = false;
        return this.#sender.send(effect.again);
      case "ask":
        return this.#options.send(effect.to, effect.message, (result) =>
          this.#handleAlone({ type: "answered", message: effect.message, result }, life),
        );
      case "count":
        return this.#options.count?.(effect.what, effect.outcome);
      case "erase":
        this.#options.erase();
        this.#life = {};
        return this.forget();
    }
  }

  #newSender(): OutboxSender<CoordinatorOutboxRow, SendResult> {
    const { store, send } = this.#options;
    const life = this.#life;
    return new OutboxSender({
      *list(options) {
        for (const [key, row] of store.list(COORDINATOR_OUTBOX, options))
          yield [key, isOutboxRow(row) ? row : undefined];
      },
      read: (key) => {
        const row = store.get(key);
        return isOutboxRow(row) ? row : undefined;
      },
      send: (to, { message }, done) => send(to, message, done),
      sent: (key, result) => this.#handleAlone({ type: "sent", key, result }, life),
    });
  }
}
