/**
 * The limit on requests about runs that do not exist (SEC8).
 *
 * Owns: the count of each principal, in one isolate and for one hour. A self-hosted object leaves a file for each name that
 * was asked for, whether or not a run has it.
 *
 * Invariants
 * - AR1 The memory is bounded: the principal that was counted first is forgotten first.
 */
import { HOST_LIMITS } from "@holdfast/protocol";
import { ApiRefusal } from "../../refusal.ts";
import type { RunCommand } from "../../run-object/commands.ts";
import type { Call } from "./route.ts";
import { type WorkerDeps, limitsOf } from "./worker-deps.ts";

const HOUR_MS = 3_600_000;

/** The codes of an object without a run. */
const ABSENT: ReadonlySet<unknown> = new Set(["not_found", "workflow_not_found"]);

interface Count {
  readonly since: number;
  absent: number;
}

/** The counts of each deployment in this isolate. */
const deployments = new WeakMap<object, Map<string, Count>>();

/**
 * Sends a command to the object of a run, unless too many commands of this principal found no run. Triggers, which make
 * runs, are counted by themselves.
 * @throws ApiRefusal `too_many_requests`
 */
export async function countAbsent(
  { deps, principal }: Call,
  ask: RunCommand["ask"] | "socket",
  send: () => Promise<Response>,
): Promise<Response> {
  const kind = ask === "trigger" ? "trigger" : "other";
  const key = JSON.stringify([kind, principal.tenantId, principal.subject]);
  const counts = countsOf(deps);
  const max = limitsOf(deps).notFoundPerHour;
  const now = Date.now();
  const count = counts.get(key);
  const ageMs = now - (count?.since ?? now);
  const current = count !== undefined && ageMs >= 0 && ageMs < HOUR_MS ? count : undefined;
  if (current !== undefined && current.absent >= max) throw tooMany(max, HOUR_MS - ageMs);
  const answer = await send();
  if (answer.status === 404 && (await isAbsent(answer))) add(counts, key, current ?? { since: now, absent: 0 });
  return answer;
}

function countsOf({ runDO }: WorkerDeps): Map<string, Count> {
  const counts = deployments.get(runDO) ?? new Map<string, Count>();
  deployments.set(runDO, counts);
  return counts;
}

function add(counts: Map<string, Count>, key: string, mine: Count): void {
  // Requests that overlap count together: none of them knew the count that the first of them began.
  const known = counts.get(key);
  const count = known !== undefined && Math.abs(mine.since - known.since) < HOUR_MS ? known : mine;
  count.absent += 1;
  counts.set(key, count);
  const [oldest] = counts.keys();
  if (counts.size > HOST_LIMITS.countedPrincipals && oldest !== undefined) counts.delete(oldest);
}

async function isAbsent(answer: Response): Promise<boolean> {
  const { error } = (await answer.clone().json()) as { readonly error?: unknown };
  return ABSENT.has(error);
}

function tooMany(max: number, waitMs: number): ApiRefusal {
  const seconds = Math.ceil(waitMs / 1_000);
  return new ApiRefusal(
    "too_many_requests",
    `${max} requests of these credentials were about runs that do not exist, which is the limit of an hour. Check the ids that the caller uses. Requests are accepted again in ${seconds} s.`,
    undefined,
    { "Retry-After": String(seconds) },
  );
}
