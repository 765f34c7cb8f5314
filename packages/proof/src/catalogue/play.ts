/**
 * Plays an entry of the catalogue on a host, and says how it differs from what it must come to.
 *
 * Owns: the order of cues, waiting for what they wait for with a bound, and the comparison.
 */
import { type RunStatus, isTerminal } from "@holdfast/protocol";
import { slugOf } from "./catalogue.ts";
import type { CatalogueEntry, Cue, Outcome } from "./types.ts";

/** A run as the API shows it. */
export interface RunRecord {
  readonly status: RunStatus;
  readonly output?: unknown;
  readonly error?: { readonly code?: string; readonly message: string };
  readonly metadata: unknown;
  readonly steps: readonly { readonly name: string; readonly status: string }[];
  /** The id is `kind/occurrence/name`. */
  readonly pendingWaitpoints: readonly { readonly id: string; readonly meta: { readonly tokenId?: string } }[];
}

/** What a host must be able to do, whatever lies below it. Calls that meet a crash are repeated by the host. */
export interface ContractHost {
  trigger(runId: string, workflowId: string, input: unknown, timeoutMs: number | undefined): Promise<void>;
  read(runId: string): Promise<RunRecord>;
  /** `type kind/occurrence/name` of each entry. */
  journal(runId: string): Promise<readonly string[]>;
  deliver(runId: string, kind: "signal" | "event", name: string, payload: unknown, deliveryId: string): Promise<void>;
  resolveToken(runId: string, tokenId: string, payload: unknown): Promise<void>;
  cancel(runId: string, reason: string | undefined): Promise<void>;
  operate(runId: string, operation: "pause" | "unpause"): Promise<void>;
  /** Lets a little time pass, or the next thing that is due happen. */
  tick(): Promise<void>;
  wait(ms: number): Promise<void>;
}

/** A host for one run of one entry. `crashed`: whether the crash has come. */
export interface OpenedHost extends ContractHost {
  readonly crashed: () => boolean;
  close(): Promise<void>;
}

export interface Played {
  readonly record: RunRecord;
  readonly journal: readonly string[];
}

/** Ticks after which a run is stuck. */
const TICKS_MAX = 4_000;

export async function playEntry(host: ContractHost, entry: CatalogueEntry, runId: string): Promise<Played> {
  await host.trigger(runId, slugOf(entry), entry.input, entry.timeoutMs);
  for (const [place, cue] of (entry.cues ?? []).entries()) {
    const { when } = cue;
    const record =
      when === undefined
        ? await host.read(runId)
        : await until(host, runId, (one) => isTerminal(one.status) || hasCome(one, when), JSON.stringify(when));
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
    if (ticks > TICKS_MAX) throw new Error(`${runId} did not come to ${what}; it is ${JSON.stringify(record)}`);
    await host.tick();
    record = await host.read(runId);
  }
  return record;
}

function hasCome({ status, steps, pendingWaitpoints }: RunRecord, when: NonNullable<Cue["when"]>): boolean {
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

/** How a run differs from every outcome that it may have; empty: it is one of them. */
export function differences(allowed: readonly Outcome[], { record }: Played): string[] {
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
