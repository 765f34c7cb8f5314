/**
 * Objects that exchange numbered messages, for the suite of `exchange`: a small machine on the real machine host, outbox
 * and sender, and a network that loses, duplicates, delays and reorders messages.
 */
import { FORMAT_VERSION, addressKey } from "@holdfast/protocol";
import { MemoryStore } from "@holdfast/workflows/testing";
import {
  type Decision,
  EMPTY_OUTBOX,
  type Envelope,
  MachineHost,
  type OutboxState,
  OutboxSender,
  type Receipt,
  type SeenRow,
  type StoreReader,
  type WriteBatch,
  accept,
  lastAfter,
  nextNumber,
  posted,
  removed,
  settled,
} from "../src/index.ts";

interface Header {
  readonly last: number;
  readonly outbox: OutboxState;
  readonly effects: number;
}

export type Result = Receipt | { readonly type: "unreachable" };

interface Row extends Envelope<number> {
  readonly to: { readonly kind: "gate"; readonly name: string };
}

type PeerInput =
  | { readonly type: "post"; readonly to: string; readonly message: number }
  | { readonly type: "receive"; readonly envelope: Envelope<number> }
  | { readonly type: "sent"; readonly key: string; readonly result: Result }
  | { readonly type: "alarm" };

interface PeerState {
  readonly store: StoreReader;
  header: Header;
}

const keyOf = (position: number): string => `outbox/${String(position).padStart(10, "0")}`;
const asRow = (row: unknown): Row => row as Row;

export interface Message {
  readonly to: string;
  readonly envelope: Envelope<number>;
  readonly done: (result: Result) => void;
}

export class Peer {
  store = new MemoryStore();
  readonly name: string;
  readonly #clock: () => number;
  readonly #transmit: (message: Message) => void;
  #host = this.#newHost();

  constructor(name: string, clock: () => number, transmit: (message: Message) => void) {
    this.name = name;
    this.#clock = clock;
    this.#transmit = transmit;
  }

  /** Ends the process; the rows stay. Answers to messages in flight are lost. */
  crash(store = this.store): void {
    this.store = store;
    this.#host = this.#newHost();
  }

  post(to: string, message: number): void {
    this.#host.handle({ type: "post", to, message });
  }

  receive(envelope: Envelope<number>): Receipt {
    return this.#host.handle({ type: "receive", envelope }) ?? { type: "gone" };
  }

  alarm(): void {
    this.#host.handle({ type: "alarm" });
  }

  get pending(): number {
    return this.#host.state.header.outbox.count;
  }

  /** The messages that took effect, in order. */
  get effects(): Envelope<number>[] {
    return [...this.store.list("effect/")].map(([, row]) => asRow(row));
  }

  #newHost(): MachineHost<PeerState, PeerInput, boolean, Receipt | undefined> {
    const { store } = this;
    const sender = new OutboxSender<Row, Result>({
      rows: () => [...store.list("outbox/", { limit: 64 })].map(([key, row]) => [key, asRow(row)] as const),
      send: (to, row, done) => this.#transmit({ to: to.name, envelope: row, done }),
      sent: (key, result) => void (this.#host === host && host.handle({ type: "sent", key, result })),
    });
    const host: MachineHost<PeerState, PeerInput, boolean, Receipt | undefined> = new MachineHost(
      store,
      {
        load: (reader): PeerState => ({
          store: reader,
          header: (reader.get("record") as Header | undefined) ?? { last: 0, outbox: EMPTY_OUTBOX, effects: 0 },
        }),
        decide: (state, input) => new PeerDraft(this.name, state, this.#clock()).handle(input),
        apply: (state, batch) => {
          state.header = (batch.puts.get("record") as Header | undefined) ?? state.header;
        },
      },
      { perform: (again) => sender.send(again), loaded: () => {}, committed: () => {}, dropped: () => {} },
    );
    return host;
  }
}

/** The decision of a peer about one input. */
class PeerDraft {
  readonly #name: string;
  readonly #state: PeerState;
  readonly #now: number;
  #header: Header;
  readonly #puts = new Map<string, object>();
  readonly #deletes = new Set<string>();
  #send: boolean | undefined;

  constructor(name: string, state: PeerState, now: number) {
    this.#name = name;
    this.#state = state;
    this.#now = now;
    this.#header = state.header;
  }

  handle(input: PeerInput): Decision<boolean, Receipt | undefined> {
    const reply = this.#apply(input);
    const changed = this.#header !== this.#state.header || this.#puts.size > 0;
    if (changed) this.#puts.set("record", this.#header);
    const alarm = this.#header.outbox.retryAt ?? null;
    const batch: WriteBatch = { puts: this.#puts, deletes: this.#deletes, ...(changed ? { alarm } : {}) };
    return { batch, effects: this.#send === undefined ? [] : [this.#send], reply };
  }

  #apply(input: PeerInput): Receipt | undefined {
    switch (input.type) {
      case "post": {
        const last = nextNumber(this.#header.last, this.#now);
        const from = { kind: "gate", name: this.#name } as const;
        const to = { kind: "gate", name: input.to } as const;
        this.#puts.set(keyOf(this.#header.outbox.next), {
          to,
          from,
          number: last,
          message: input.message,
        } satisfies Row);
        this.#header = { ...this.#header, last, outbox: posted(this.#header.outbox, this.#now) };
        this.#send = false;
        return undefined;
      }
      case "receive":
        return this.#receive(input.envelope);
      case "sent":
        this.#settle(input.key, input.result);
        return undefined;
      case "alarm": {
        const outbox = settled(this.#header.outbox, this.#now);
        if (outbox === undefined) return undefined;
        this.#header = { ...this.#header, outbox };
        this.#send = true;
        return undefined;
      }
    }
  }

  #receive(envelope: Envelope<number>): Receipt {
    const key = `seen/${addressKey(envelope.from as { kind: "gate"; name: string })}`;
    const known = this.#state.store.get(key) as SeenRow | undefined;
    const { receipt, seen } = accept(known, envelope.number, this.#now);
    if (seen === undefined) return receipt;
    this.#puts.set(key, seen);
    this.#header = { ...this.#header, effects: this.#header.effects + 1 };
    this.#puts.set(`effect/${String(this.#header.effects).padStart(10, "0")}`, { v: FORMAT_VERSION, ...envelope });
    return receipt;
  }

  #settle(key: string, result: Result): void {
    if (this.#state.store.get(key) === undefined || result.type === "unreachable") return;
    this.#deletes.add(key);
    const last = lastAfter(result, this.#header.last);
    this.#header = { ...this.#header, last, outbox: removed(this.#header.outbox) };
    this.#send = false;
  }
}
