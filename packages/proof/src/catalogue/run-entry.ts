/**
 * Runs a catalogue entry on a host and compares the result with the outcomes that the entry allows.
 *
 * Owns: the order of cues (scripted actions from outside the run), the bounded waiting for the condition of each cue,
 * and the comparison.
 */
import { type RunStatus, isTerminal } from "@holdfast/protocol";
import { slugOf } from "./catalogue.ts";
import { JOURNALS } from "./journals.ts";
import type { CatalogueEntry, Cue, Outcome } from "./types.ts";

/** A run as the API returns it. */
export interface RunRecord {
  readonly status: RunStatus;
  readonly output?: unknown;
  readonly error?: { readonly code?: string; readonly message: string };
  readonly metadata: unknown;
  readonly steps: readonly { readonly name: string; readonly status: string }[];
  /** The id is `kind/occurrence/name`. */
  readonly pendingWaitpoints: readonly { readonly id: string; readonly meta: { readonly tokenId?: string } }[];
}

/** The operations that every kind of host provides. The host repeats a call that a crash interrupted. */
export interface ContractHost {
  trigger(runId: string, workflowId: string, input: unknown, timeoutMs: number | undefined): Promise<void>;
  read(runId: string): Promise<RunRecord>;
  /** Returns `type kind/occurrence/name` of each entry. */
  journal(runId: string): Promise<readonly string[]>;
  deliver(runId: string, kind: "signal" | "event", name: string, payload: unknown, deliveryId: string): Promise<void>;
  resolveToken(runId: string, tokenId: string, payload: unknown): Promise<void>;
  cancel(runId: string, reason: string | undefined): Promise<void>;
  operate(runId: string, operation: "pause" | "unpause"): Promise<void>;
  /** Lets a few milliseconds pass, or fires the next timer. */
  tick(): Promise<void>;
  wait(ms: number): Promise<void>;
}

/** A host for one run of one entry. `crashed`: whether the scripted crash has happened. */
export interface OpenedHost extends ContractHost {
  readonly crashed: () => boolean;
  close(): Promise<void>;
}

export interface EntryResult {
  readonly record: RunRecord;
  readonly journal: readonly string[];
}

/** A run that has not reached its condition after this many ticks is stuck. */
const TICKS_MAX = 4_000;

export async function runEntry(host: ContractHost, entry: CatalogueEntry, runId: string): Promise<EntryResult> {
  await host.trigger(runId, slugOf(entry), entry.input, entry.timeoutMs);
  for (const [place, cue] of (entry.cues ?? []).entries()) {
    const { when } = cue;
    const record =
      when === undefined
        ? await host.read(runId)
        : await until(host, runId, (one) => isTerminal(one.status) || isMet(one, when), JSON.stringify(when));
    await act(host, runId, cue, record, `cue-${place}`);
  }
  const record = await until(host, runId, ({ status }) => isTerminal(status), "the end of the run");
  return { record, journal: await host.journal(runId) };
}

async function until(
  host: ContractHost,
  runId: string,
  condition: (record: RunRecord) => boolean,
  what: string,
): Promise<RunRecord> {
  let record = await host.read(runId);
  for (let ticks = 0; !condition(record); ticks++) {
    if (ticks > TICKS_MAX) throw new Error(`${runId} did not reach ${what}; its record is ${JSON.stringify(record)}`);
    await host.tick();
    record = await host.read(runId);
  }
  return record;
}

function isMet({ status, steps, pendingWaitpoints }: RunRecord, when: NonNullable<Cue["when"]>): boolean {
  if ("step" in when) return steps.some((step) => step.name === when.step && step.status === "running");
  if ("status" in when) return status === when.status;
  return pendingWaitpoints.some(({ id }) => id.split("/").slice(2).join("/") === when.waitsFor);
}

function act(host: ContractHost, runId: string, { act: what }: Cue, record: RunRecord, id: string): Promise<void> {
  switch (what.type) {
    case "signal":
    case "event":
      return host.deliver(runId, what.type, what.name, what.payload, what.deliveryId ?? id);
    case "token": {
      const tokenId = record.pendingWaitpoints.find(({ meta }) => meta.tokenId !== undefined)?.meta.tokenId;
      return host.resolveToken(runId, tokenId ?? "", what.payload);
    }
    case "cancel":
      return host.cancel(runId, what.reason);
    case "pause":
    case "unpause":
      return host.operate(runId, what.type);
    case "wait":
      return host.wait(what.ms);
  }
}

/**
 * Returns the differences between the journal of a run without faults and the recorded one. In an entry with
 * `anyOrder`, the entries may come in any order.
 */
export function journalDifferences(entry: CatalogueEntry, { journal }: EntryResult): string[] {
  const text = (ops: readonly string[] = []): string =>
    (entry.anyOrder === true ? ops.toSorted((a, b) => a.localeCompare(b)) : ops).join(", ");
  const [is, wanted] = [text(journal), text(JOURNALS[entry.title])];
  return is === wanted ? [] : [`the journal is [${is}] instead of [${wanted}]`];
}

/** Returns the differences between a run and each allowed outcome. The list is empty if the run has one of them. */
export function differences(allowed: readonly Outcome[], { record }: EntryResult): string[] {
  const wrong = allowed.map((outcome) => compare(outcome, record));
  return wrong.some((one) => one.length === 0) ? [] : wrong.flat();
}

function compare({ status, output, error, metadata }: Outcome, record: RunRecord): string[] {
  const found: string[] = [];
  const expect = (what: string, is: unknown, wanted: unknown): void => {
    if (JSON.stringify(is) !== JSON.stringify(wanted))
      found.push(`${what} is ${JSON.stringify(is)} instead of ${JSON.stringify(wanted)}`);
  };
  expect("status", record.status, status);
  if (output !== undefined) expect("output", record.output, output);
  if (metadata !== undefined) expect("metadata", record.metadata, metadata);
  if (error === undefined) {
    expect("error", record.error?.message, undefined);
    return found;
  }
  const [code, message] = error;
  if (code !== "") expect("code", record.error?.code, code);
  if (record.error?.message.startsWith(message) !== true) expect("message", record.error?.message, message);
  return found;
}
