/**
 * Objects that exchange numbered messages, for the suite of `exchange`: a small machine on the real machine host, outbox
 * and sender. A message makes its receiver hold a thing, which its sender claims. Probes find claims that the receiver
 * does not hold, and things that the sender does not claim.
 */
import { FORMAT_VERSION, addressKey } from "@holdfast/protocol";
import { MemoryStore } from "@holdfast/workflows/testing";
import {
  type Decision,
  EMPTY_OUTBOX,
  MachineHost,
  type OutboxState,
  OutboxSender,
  type StoreReader,
  type WriteBatch,
  posted,
  removed,
  settled,
} from "../src/index.ts";
import {
  type Envelope,
  type ProbeAnswer,
  type Receipt,
  SEEN_MS,
  type SeenRow,
  accept,
  answerProbe,
  lastAfter,
  mayForget,
  nextNumber,
} from "./exchange.ts";

interface Header {
  readonly last: number;
  readonly outbox: OutboxState;
  readonly effects: number;
  /** When rows about senders may be deleted, ms since 1970. */
  readonly forgetAt?: number | undefined;
}

/** What a sender claims: a thing that its receiver holds, once a receipt has settled the message. */
interface ClaimRow {
  readonly to: string;
  readonly settled: boolean;
}

interface HeldRow {
  readonly from: string;
}

export type Result = Receipt | { readonly type: "unreachable" };

interface Row extends Envelope<number> {
  readonly to: { readonly kind: "gate"; readonly name: string };
}

type PeerInput =
  | { readonly type: "post"; readonly to: string; readonly message: number }
  | { readonly type: "receive"; readonly envelope: Envelope<number> }
  | { readonly type: "sent"; readonly key: string; readonly result: Result }
  | { readonly type: "probed"; readonly answer: ProbeAnswer }
  | { readonly type: "alarm" };

interface PeerState {
  readonly store: StoreReader;
  header: Header;
}

const keyOf = (position: number): string => `outbox/${String(position).padStart(10, "0")}`;
const asRow = (row: unknown): Row => row as Row;

export interface Message {
  readonly to: string;
  /** Whether messages in flight are sent again. */
  readonly again: boolean;
  readonly envelope: Envelope<number>;
  readonly done: (result: Result) => void;
}

export class Peer {
  store = new MemoryStore();
  readonly name: string;
  /** The receivers whose receipts arrived since the storage was restored. */
  readonly receiptsFrom = new Set<string>();
  readonly #clock: () => number;
  readonly #transmit: (message: Message) => void;
  /** The number of processes so far. */
  loads = 0;
  #again = false;
  #sender!: OutboxSender<Row, Result>;
  #host = this.#newHost();

  constructor(name: string, clock: () => number, transmit: (message: Message) => void) {
    this.name = name;
    this.#clock = clock;
    this.#transmit = transmit;
  }

  /** Ends the process; the rows stay. Answers to messages in flight are lost. `store`: a restored storage. */
  crash(store = this.store): void {
    if (store !== this.store) this.receiptsFrom.clear();
    this.store = store;
    this.#host = this.#newHost();
    this.#sender.send(false);
  }

  post(to: string, message: number): void {
    this.#host.handle({ type: "post", to, message });
  }

  receive(envelope: Envelope<number>): Receipt {
    return this.#host.handle({ type: "receive", envelope }) ?? { type: "gone" };
  }

  /** Answers whether this peer claims or holds a thing. */
  probe(about: string): ProbeAnswer {
    return answerProbe({ type: "probe", about }, new Set([...this.claims.keys(), ...this.held.keys()]));
  }

  probed(answer: ProbeAnswer): void {
    this.#host.handle({ type: "probed", answer });
  }

  alarm(): void {
    this.#host.handle({ type: "alarm" });
  }

  get pending(): number {
    return this.#host.state.header.outbox.count;
  }

  isPending({ session, number }: Envelope<number>): boolean {
    const rows = [...this.store.list("outbox/")].map(([, row]) => asRow(row));
    return rows.some((row) => row.session === session && row.number === number);
  }

  /** The messages that took effect, in order. */
  get effects(): Envelope<number>[] {
    return [...this.store.list("effect/")].map(([, row]) => asRow(row));
  }

  /** The things that this peer claims, with their receivers. */
  get claims(): Map<string, ClaimRow> {
    return new Map([...this.store.list("claim/")].map(([key, row]) => [key.slice("claim/".length), row as ClaimRow]));
  }

  /** The things that this peer holds, with their senders. */
  get held(): Map<string, HeldRow> {
    return new Map([...this.store.list("held/")].map(([key, row]) => [key.slice("held/".length), row as HeldRow]));
  }

  /** The rows about senders. */
  get seen(): number {
    return [...this.store.list("seen/")].length;
  }

  #newHost(): MachineHost<PeerState, PeerInput, boolean, Receipt | undefined> {
    const { store } = this;
    this.loads += 1;
    const load = this.loads;
    const sender = new OutboxSender<Row, Result>({
      list: (options) => [...store.list("outbox/", options)].map(([key, row]) => [key, asRow(row)] as const),
      read: (key) => store.get(key) as Row | undefined,
      send: (to, row, done) => {
        const receive = (result: Result): void => void (this.#host === host && done(result));
        this.#transmit({ to: to.name, again: this.#again, envelope: row, done: receive });
      },
      sent: (key, result) => void host.handle({ type: "sent", key, result }),
    });
    this.#sender = sender;
    const host: MachineHost<PeerState, PeerInput, boolean, Receipt | undefined> = new MachineHost(
      store,
      {
        load: (reader): PeerState => ({
          store: reader,
          header: (reader.get("record") as Header | undefined) ?? { last: 0, outbox: EMPTY_OUTBOX, effects: 0 },
        }),
        decide: (state, input) => new PeerDraft(this, `${this.name}.${load}`, state, this.#clock()).handle(input),
        apply: (state, batch) => {
          state.header = (batch.puts.get("record") as Header | undefined) ?? state.header;
        },
      },
      {
        perform: (again) => {
          this.#again = again;
          sender.send(again);
          this.#again = false;
        },
        loaded: () => {},
        committed: () => {},
        dropped: () => {},
      },
    );
    return host;
  }
}

/** The decision of a peer about one input. */
class PeerDraft {
  readonly #peer: Peer;
  readonly #session: string;
  readonly #state: PeerState;
  readonly #now: number;
  #header: Header;
  readonly #puts = new Map<string, object>();
  readonly #deletes = new Set<string>();
  #send: boolean | undefined;

  constructor(peer: Peer, session: string, state: PeerState, now: number) {
    this.#peer = peer;
    this.#session = session;
    this.#state = state;
    this.#now = now;
    this.#header = state.header;
  }

  handle(input: PeerInput): Decision<boolean, Receipt | undefined> {
    const reply = this.#apply(input);
    const changed = this.#header !== this.#state.header || this.#puts.size > 0 || this.#deletes.size > 0;
    if (changed) this.#puts.set("record", this.#header);
    const alarm = Math.min(this.#header.outbox.retryAt ?? Infinity, this.#header.forgetAt ?? Infinity);
    const batch: WriteBatch = {
      puts: this.#puts,
      deletes: this.#deletes,
      ...(changed ? { alarm: alarm === Infinity ? null : alarm } : {}),
    };
    return { batch, effects: this.#send === undefined ? [] : [this.#send], reply };
  }

  #apply(input: PeerInput): Receipt | undefined {
    switch (input.type) {
      case "post":
        this.#post(input.to, input.message);
        return undefined;
      case "receive":
        return this.#receive(input.envelope);
      case "sent":
        this.#settle(input.key, input.result);
        return undefined;
      case "probed":
        this.#correct(input.answer);
        return undefined;
      case "alarm":
        this.#resend();
        this.#forget();
        return undefined;
    }
  }

  #post(to: string, message: number): void {
    const last = nextNumber(this.#header.last, this.#now);
    const row: Row = {
      to: { kind: "gate", name: to },
      from: { kind: "gate", name: this.#peer.name },
      session: this.#session,
      number: last,
      message,
    };
    this.#puts.set(keyOf(this.#header.outbox.next), row);
    this.#puts.set(`claim/${message}`, { to, settled: false } satisfies ClaimRow);
    this.#header = { ...this.#header, last, outbox: posted(this.#header.outbox, this.#now) };
    this.#send = false;
  }

  #receive(envelope: Envelope<number>): Receipt {
    const from = envelope.from as Row["to"];
    const key = `seen/${addressKey(from)}`;
    const known = this.#state.store.get(key) as SeenRow | undefined;
    const { receipt, seen } = accept(known, envelope, this.#now);
    if (seen === undefined) return receipt;
    this.#puts.set(key, seen);
    const forgetAt = this.#header.forgetAt ?? this.#now + SEEN_MS;
    this.#header = { ...this.#header, effects: this.#header.effects + 1, forgetAt };
    this.#puts.set(`effect/${String(this.#header.effects).padStart(10, "0")}`, { v: FORMAT_VERSION, ...envelope });
    this.#puts.set(`held/${envelope.message}`, { from: from.name } satisfies HeldRow);
    return receipt;
  }

  #settle(key: string, result: Result): void {
    const row = this.#state.store.get(key) as Row | undefined;
    if (row === undefined || result.type === "unreachable") return;
    this.#deletes.add(key);
    const claim = `claim/${row.message}`;
    if (result.type === "gone") this.#deletes.add(claim);
    else this.#puts.set(claim, { to: row.to.name, settled: true } satisfies ClaimRow);
    if (result.type !== "gone") this.#peer.receiptsFrom.add(row.to.name);
    const last = lastAfter(result, this.#header.last);
    this.#header = { ...this.#header, last, outbox: removed(this.#header.outbox) };
    this.#send = false;
  }

  /** Sends a message again whose effect the receiver has lost, or drops a thing that its sender does not claim. */
  #correct({ about, held }: ProbeAnswer): void {
    const claim = this.#state.store.get(`claim/${about}`) as ClaimRow | undefined;
    if (held) return;
    if (claim?.settled === true) this.#post(claim.to, Number(about));
    if (this.#state.store.get(`held/${about}`) !== undefined) this.#deletes.add(`held/${about}`);
  }

  #resend(): void {
    const outbox = settled(this.#header.outbox, this.#now);
    if (outbox === undefined) return;
    this.#header = { ...this.#header, outbox };
    this.#send = true;
  }

  #forget(): void {
    const { forgetAt } = this.#header;
    if (forgetAt === undefined || forgetAt > this.#now) return;
    const rows = [...this.#state.store.list("seen/")].map(([key, row]) => [key, row as SeenRow] as const);
    const remaining = rows.filter(([, row]) => !mayForget(row, this.#now));
    for (const [key, row] of rows) if (mayForget(row, this.#now)) this.#deletes.add(key);
    const next = Math.min(...remaining.map(([, { at }]) => at + SEEN_MS));
    this.#header = { ...this.#header, forgetAt: remaining.length === 0 ? undefined : next };
  }
}
