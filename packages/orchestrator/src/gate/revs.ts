/**
 * Which declaration of a limit applies (GATE8).
 *
 * Owns: the settings of a gate: they come with each run that wants to hold, and the highest `rev` applies. After a rollback an
 * operator voids later builds, whose runs still bring their settings: at the list of the deployment, and at each gate of the
 * list of limits. Any other gate asks when it sees a build that is earlier than the one that applies.
 *
 * Invariants
 * - GV1 A gate asks at most once a minute, and only while the settings of two builds differ.
 */
import { HOST_LIMITS, type LimitChange, type LimitSettings, defined } from "@holdfast/protocol";
import type { SendResult } from "../host/outbox-sender.ts";
import { type VoidRevs, isVoid } from "../host/void-revs.ts";
import { isObject } from "../json-schema/schema.ts";
import type { Holders } from "./holders.ts";
import type { GateSettings } from "./messages.ts";

/** Asks the list of the deployment which builds are void. */
export interface RevsQuestion {
  readonly type: "revs";
  /** The settings that apply if the later ones are void, or if they themselves are void no longer. */
  readonly declared: GateSettings;
  /** What the gate knew. */
  readonly known?: VoidRevs | undefined;
}

export interface RevsAnswer {
  readonly voided?: VoidRevs | undefined;
}

export interface SyncCommand extends VoidRevs {
  readonly type: "sync";
  /** What the served code declares. Absent: no workflow of it names the limit. */
  readonly declared?: Omit<GateSettings, "rev"> | undefined;
  /** Only says what would change. */
  readonly dryRun: boolean;
}

/** The settings of the newest version apply. A limit that is lowered evicts nobody. */
export function adopt(holders: Holders, settings: GateSettings): void {
  const { settings: known, voided } = holders.draft.header;
  if (isVoid(settings.rev, voided)) {
    // A range that ends in the future is of a clock that was ahead: a newer one may have replaced it at the list.
    if (voided !== undefined && voided.until > holders.draft.now) askRevs(holders, settings);
    return;
  }
  if (settings.rev < known.rev) askRevs(holders, settings);
  else if (settings.rev !== known.rev || !isSame(settings, known)) apply(holders, settings);
}

function apply(holders: Holders, settings: GateSettings): void {
  holders.draft.change({ settings });
  holders.grantNext();
}

function askRevs({ draft }: Holders, declared: GateSettings): void {
  const { settings, voided: known, askedAt = -Infinity } = draft.header;
  if (isSame(declared, settings) || Math.abs(draft.now - askedAt) < HOST_LIMITS.probeMsMin) return;
  draft.change({ askedAt: draft.now });
  draft.ask({ kind: "gates", name: "gates", scope: "deployment" }, {
    type: "revs",
    declared,
    known,
  } satisfies RevsQuestion);
}

export function isRevsQuestion(message: object): message is RevsQuestion {
  return "type" in message && message.type === "revs";
}

export function revsAnswered(holders: Holders, { declared, known }: RevsQuestion, result: SendResult): void {
  if (holders.draft.isNew || result.type !== "acknowledged" || !isRevsAnswer(result.answer)) return;
  const { voided } = result.answer;
  const { settings, voided: stored } = holders.draft.header;
  // A late answer.
  if (stored?.above !== known?.above || stored?.until !== known?.until) return;
  const isNewer = declared.rev > settings.rev && !isVoid(declared.rev, voided);
  if (voided !== undefined && (isNewer || isVoid(settings.rev, voided))) replace(holders, voided, declared);
}

function isRevsAnswer(answer: unknown): answer is RevsAnswer {
  return isObject(answer);
}

/** Applies what the served code declares, or says what that would change. */
export function sync(holders: Holders, { above, until, declared, dryRun }: SyncCommand): LimitChange {
  const { limit, key, settings } = holders.draft.header;
  const change =
    declared === undefined
      ? settings.rev > above
        ? "voided"
        : "undeclared"
      : isSame(declared, settings)
        ? "unchanged"
        : "changed";
  const declares = declared === undefined ? undefined : shown(declared);
  const answer = defined({ name: limit, key, change, rev: settings.rev, applies: shown(settings), declares } as const);
  const given = declared === undefined ? undefined : { rev: above, ...declared };
  if (!dryRun) replace(holders, { above, until: Math.max(until, settings.rev) }, given);
  return answer;
}

/** Without settings of the served build those of the gate stay, until a run of that build brings its own. */
function replace(holders: Holders, voided: VoidRevs, declared: GateSettings | undefined): void {
  const { draft } = holders;
  const { settings } = draft.header;
  draft.change({ voided });
  const rev = Math.min(settings.rev, voided.above);
  apply(holders, declared === undefined || isVoid(declared.rev, voided) ? { ...settings, rev } : declared);
}

function shown({ max, rate, maxQueued, dropQueued }: Omit<GateSettings, "rev">): LimitSettings {
  return { max: max ?? null, ...defined({ rate, maxQueued, dropQueued }) };
}

function isSame(one: Omit<GateSettings, "rev">, other: Omit<GateSettings, "rev">): boolean {
  return JSON.stringify(inOneOrder(one)) === JSON.stringify(inOneOrder(other));
}

function inOneOrder({ max, rate, maxQueued, dropQueued }: Omit<GateSettings, "rev">): readonly unknown[] {
  return [max, rate?.limit, rate?.perMs, rate?.burst, maxQueued, dropQueued];
}
