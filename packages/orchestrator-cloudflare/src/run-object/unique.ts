/**
 * What distinguishes a new run from all others (RUN9, SEC8).
 *
 * Owns: its incarnation, and the MAC of its public URLs. A key that cannot be read for a moment must not refuse a run: such a
 * run has no public tokens, and the log says so.
 */
import type { ChildTrigger, Unique } from "@holdfast/orchestrator";
import { tenantSegment } from "@holdfast/protocol";
import { randomHex } from "@holdfast/protocol/transport";
import type { KeyRing } from "../auth/key-ring.ts";
import { type KeySource, keyRingOf } from "../auth/url-keys.ts";

/** How long a new run waits for the key of the index, ms. */
const KEY_WAIT_MS = 2_000;

/** The microtasks in which a key that is in memory arrives. */
const KNOWN_TICKS = 8;

export async function newUnique(
  source: KeySource,
  { runId: id, tenantId }: Pick<ChildTrigger, "runId" | "tenantId">,
): Promise<Unique> {
  const incarnation = randomHex(8);
  const ring = await soon(source, { runId: id, tenantId });
  if (ring === undefined) return { incarnation };
  const publicMac = await ring.sign("public token", [tenantSegment(tenantId), id, incarnation]);
  return { incarnation, publicMac };
}

async function soon(source: KeySource, run: Pick<ChildTrigger, "runId" | "tenantId">): Promise<KeyRing | undefined> {
  const ring = keyRingOf(source, true);
  if (source.urlKeys !== undefined || source.runIndex === undefined || (await isKnown(ring))) return ring;
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error("the index of runs does not answer")), KEY_WAIT_MS);
  try {
    return await Promise.race([ring, late]);
  } catch (error) {
    const message = `the key of public URLs could not be read, so this run has no public tokens. Set URL_KEYS. ${String(error)}`;
    console.warn(JSON.stringify({ source: "holdfast", message, ...run }));
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

/** Whether the key is in memory already, so that no timer is needed: each costs more than the rest of this file. */
function isKnown(ring: Promise<KeyRing | undefined>): Promise<boolean> {
  const known = ring.then(
    () => true,
    () => false,
  );
  let passed: Promise<boolean> = Promise.resolve(false);
  for (let tick = 0; tick < KNOWN_TICKS; tick++) passed = passed.then(() => false);
  return Promise.race([known, passed]);
}
