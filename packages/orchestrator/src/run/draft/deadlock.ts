/**
 * Runs that wait for each other at limits (L10): a run keeps one limit while a step, or a child, of it waits for another.
 *
 * Owns: what a run waits for, and the search that a run starts which waits at a gate for a long time. Nothing is stored.
 *
 * Invariants
 * - DL1 A run counts only if nothing but the end of other holdings, or of children, ends its wait: a run that also waits for
 *   a timer, a delivery, an operator or a body is no part of a deadlock. A time budget and a `queueTimeout` do not count.
 * - DL2 Everything is read twice, and must be equal. No number of a holding is used twice, so between both passes all these
 *   waits existed at the same moment. None of them ends by itself.
 * - DL3 All runs of a deadlock choose the same one to end: the newest of those that can be stopped.
 */
import { type Address, addressKey } from "@holdfast/protocol";
import { DEADLOCK_RUNS_MAX, type HoldRef, gateAddress, gateName, isGateHolders } from "../../gate/messages.ts";
import type { SendResult } from "../../host/outbox-sender.ts";
import { type Hold, type StepHold, isSameGate } from "../state/hold.ts";
import { type Question, type RunWaits, isRunWaits } from "../state/messages.ts";
import { type RunHeader, kindOf } from "../state/run-header.ts";
import type { RunState } from "../state/run-state.ts";

/** Asks one question after the other, and continues with each result. */
type Search<T> = Generator<{ readonly to: Address; readonly message: Question }, T, SendResult>;

/** What a run waits for; `undefined`: something else may end its wait (DL1). */
export function waitsOf({ header, newer }: Pick<RunState, "header" | "newer">): RunWaits | undefined {
  if (header === undefined || newer !== undefined) return undefined;
  const { incarnation, createdAt, unwinding, holds = [], stepHolds = [] } = header;
  const wanted = wantedBy(header);
  const children = childrenOf(header);
  if (incarnation === undefined || wanted === undefined || children === undefined) return undefined;
  if (wanted.length + children.length === 0) return undefined;
  const held = [...holds, ...stepHolds].filter(({ state }) => state === "held");
  return {
    incarnation,
    createdAt,
    stops: unwinding === undefined && wanted.length > 0,
    wants: wanted.map(({ limit, key, scope, seq }) => ({ limit, seq, to: gateAddress(limit, key, scope) })),
    holds: held.map(({ limit, key, seq }) => ({ gate: gateName(limit, key), seq })),
    children,
  };
}

/** The holdings for which the run waits at gates, if it does nothing else; `undefined`: it may continue by itself. */
function wantedBy(header: RunHeader): readonly (Hold | StepHold)[] | undefined {
  const { status, admission, holds = [], stepHolds = [], undescribed, retryAt, epoch } = header;
  if (undescribed !== undefined || retryAt !== undefined) return undefined;
  const isAdmitted = admission === undefined;
  if (status !== "waiting" && (isAdmitted || status !== "pending")) return undefined;
  const all = isAdmitted ? stepHolds.filter((place) => place.epoch === epoch) : holds;
  // A place that a step has been given: its body begins.
  if (isAdmitted && all.some(({ state }) => state === "held")) return undefined;
  const wanted = all.filter(({ state }) => state === "wanted");
  // A rate admits by itself.
  if (wanted.some(({ settings }) => settings.max === undefined)) return undefined;
  return isAdmitted || wanted.length > 0 ? wanted : undefined;
}

/** The children for which the run waits, if it waits for nothing else that may come. */
function childrenOf({ admission, waits }: RunHeader): readonly string[] | undefined {
  if (admission !== undefined) return [];
  const children = waits.map((wait) => (kindOf(wait) === "run" && wait.wakeAt === undefined ? wait.runId : undefined));
  return children.every((runId) => runId !== undefined) ? children : undefined;
}

/** Whether a run that waits for a holding may be in a deadlock: others wait for it. */
export function mayBlock({ holds = [], stepHolds = [], parent }: RunHeader, wanted: Hold | StepHold): boolean {
  const others = [...holds, ...stepHolds].filter((hold) => hold !== wanted && !isSameGate(hold, wanted));
  return parent !== undefined || others.some(({ state, settings }) => state === "held" && settings.max !== undefined);
}

/** A run that waits, as it was found. */
interface Waiting {
  readonly address: Address;
  readonly waits: RunWaits;
  /** The runs that end its wait, by the keys of their addresses, with the limit at which it waits. */
  readonly next: ReadonlyMap<string, string | undefined>;
}

/** The runs that a run waits for, directly and indirectly, by the keys of their addresses. */
type Group = ReadonlyMap<string, Waiting>;

/** What the run learns that must end. */
export interface Deadlock {
  /** The holdings that it waits for. */
  readonly wants: readonly number[];
  /** Each run of the circle, and the limit for which it waits. */
  readonly text: string;
}

/** Searches for a deadlock of which the run is a part, and calls `found` if this run must end (DL3). */
export function findDeadlock(
  run: Pick<RunHeader, "id" | "tenantId">,
  ask: (to: Address, message: Question, answered: (result: SendResult) => void) => void,
  found: (deadlock: Deadlock) => void,
): void {
  const search = searchFrom(run);
  const go = ({ done, value }: ReturnType<typeof search.next>): void => {
    if (done !== true) ask(value.to, value.message, (result) => go(search.next(result)));
    else if (value !== undefined) found(value);
  };
  go(search.next());
}

function* searchFrom({ id, tenantId }: Pick<RunHeader, "id" | "tenantId">): Search<Deadlock | undefined> {
  const start = runAt(id, tenantId);
  const group = yield* explore(start);
  if (group === undefined) return undefined;
  const again = yield* explore(start);
  if (again === undefined || stateOf(group) !== stateOf(again)) return undefined;
  const key = addressKey(start);
  const circle = [...group].filter(([one]) => pathTo(group, one, key) !== undefined);
  const ends = circle
    .filter(([, { waits }]) => waits.stops)
    .toSorted(([a, one], [b, other]) =>
      one.waits.createdAt === other.waits.createdAt ? (a < b ? -1 : 1) : one.waits.createdAt - other.waits.createdAt,
    );
  const own = ends.at(-1);
  if (own?.[0] !== key) return undefined;
  return { wants: own[1].waits.wants.map(({ seq }) => seq), text: describe(group, key) };
}

/** Reads all runs that a run waits for; `undefined`: one of them may continue, or does not answer. */
function* explore(start: Address): Search<Group | undefined> {
  const group = new Map<string, Waiting>();
  const todo = new Map([[addressKey(start), start]]);
  const said: (readonly [key: string, hold: Held])[] = [];
  for (const [key, address] of todo) {
    const waits = yield* askRun(address);
    const found = waits && (yield* nextOf(waits, address.tenantId));
    if (waits === undefined || found === undefined) return undefined;
    const next = new Map<string, string | undefined>();
    for (const { address: to, limit, hold } of found) {
      const one = addressKey(to);
      next.set(one, limit);
      todo.set(one, todo.get(one) ?? to);
      if (hold !== undefined) said.push([one, hold]);
    }
    group.set(key, { address, waits, next });
    if (todo.size > DEADLOCK_RUNS_MAX) return undefined;
  }
  // What a gate says of a run counts if the run says so, too.
  return said.every(([key, hold]) => keeps(group.get(key)?.waits, hold)) ? group : undefined;
}

interface Held {
  readonly ref: HoldRef;
  readonly gate: string;
}

/** Whether a run says what its gate says: it may have given the place back. */
function keeps(waits: RunWaits | undefined, { ref, gate }: Held): boolean {
  const holds = waits?.incarnation === ref.incarnation ? waits.holds : [];
  return holds.some((hold) => hold.gate === gate && hold.seq === ref.seq);
}

interface Next {
  readonly address: Address;
  readonly hold?: Held;
  readonly limit?: string;
}

/** `tenantId`: of the run that waits. Each gate is asked once, however many places the run wants there. */
function* nextOf({ wants, children }: RunWaits, tenantId: string | undefined): Search<readonly Next[] | undefined> {
  const next: Next[] = children.map((name) => ({ address: runAt(name, tenantId) }));
  const gates = new Map(wants.map((wanted) => [addressKey(wanted.to), wanted]));
  for (const { limit, to } of gates.values()) {
    const answer = yield* answerOf(ofTenant(to, tenantId), { type: "probeHolders" });
    if (!isGateHolders(answer)) return undefined;
    for (const ref of answer.holders)
      next.push({ address: runAt(ref.runId, ref.tenantId ?? tenantId), limit, hold: { ref, gate: to.name } });
  }
  return next;
}

function runAt(name: string, tenantId: string | undefined): Address {
  return ofTenant({ kind: "run", name }, tenantId);
}

/** Other runs may be of other tenants: they share a limit of the whole deployment. */
function ofTenant(address: Address, tenantId: string | undefined): Address {
  return tenantId === undefined || address.scope !== undefined ? address : { ...address, tenantId };
}

function* askRun(to: Address): Search<RunWaits | undefined> {
  const answer = yield* answerOf(to, { type: "probeWaits" });
  return isRunWaits(answer) ? answer : undefined;
}

function* answerOf(to: Address, message: Question): Search<unknown> {
  const result = yield { to, message };
  return result.type === "acknowledged" ? result.answer : undefined;
}

/** A text that is the same for the same waits of the same runs. */
function stateOf(group: Group): string {
  const runs = [...group].map(([key, { waits, next }]) => JSON.stringify([key, waits, [...next]]));
  return runs.toSorted().join("\n");
}

/** The shortest way from a run to another one that it waits for, without the first. */
function pathTo(group: Group, from: string, to: string): readonly string[] | undefined {
  const paths = new Map<string, readonly string[]>([[from, []]]);
  for (const [one, path] of paths) {
    for (const next of group.get(one)?.next.keys() ?? []) {
      if (next === to) return [...path, next];
      if (!paths.has(next)) paths.set(next, [...path, next]);
    }
  }
  return undefined;
}

function describe(group: Group, start: string): string {
  const parts: string[] = [];
  let at = start;
  for (const next of pathTo(group, start, start) ?? []) {
    const limit = group.get(at)?.next.get(next);
    const [one, other] = [nameIn(group, at, start), nameIn(group, next, start)];
    parts.push(
      limit === undefined
        ? `${one} waits for its child, ${other}`
        : `${one} waits for the limit ${JSON.stringify(limit)}, which ${other} holds`,
    );
    at = next;
  }
  return parts.join("; ");
}

function nameIn(group: Group, key: string, start: string): string {
  const address = group.get(key)?.address;
  if (key === start || address === undefined) return "this run";
  return address.tenantId === group.get(start)?.address.tenantId ? `run ${address.name}` : "a run of another tenant";
}
