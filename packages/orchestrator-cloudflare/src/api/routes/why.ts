/**
 * `?why=deep`: the reasons of a run with those of its descendants (WHY4).
 *
 * Owns: the bounds on generations, children and time. The Worker asks the objects, so no object waits for another one, and
 * each answer shows what the caller may see.
 */
import { moreOf } from "@holdfast/orchestrator";
import { HOST_LIMITS, type WhyEntry } from "@holdfast/protocol";
import type { Call } from "../call/route.ts";
import { askRun } from "../call/run-objects.ts";

/** A child to ask about: the reason of its parent that names it, and its generation. */
interface Child {
  readonly runId: string;
  readonly since: number;
  readonly level: number;
}

/** Returns the reasons of a run and of its descendants, the deepest first. `own`: those of the run itself. */
export async function deepWhy(call: Call, runId: string, own: readonly WhyEntry[]): Promise<WhyEntry[]> {
  const until = performance.now() + HOST_LIMITS.whyMs;
  const seen = new Set([runId]);
  const found = [...own];
  let room: number = HOST_LIMITS.whyChildren;
  let left = 0;
  let newest = own;
  for (let level = 1; newest.length > 0; level += 1) {
    const children = childrenIn(newest, level, seen);
    const leftMs = until - performance.now();
    const asked = level > HOST_LIMITS.whyLevels || leftMs <= 0 ? [] : children.slice(0, room);
    room -= asked.length;
    left += children.length - asked.length;
    newest = (await Promise.all(asked.map((child) => askChild(call, child, leftMs)))).flat();
    found.unshift(...newest);
  }
  return left === 0 ? found : [...found, moreOf(found, left)];
}

/** The children for which the entries wait. A child that is not started, or was asked about, is left out. */
function childrenIn(entries: readonly WhyEntry[], level: number, seen: Set<string>): Child[] {
  return entries.flatMap(({ code, for: target, since }) => {
    const runId = code === "WAITING_FOR_CHILD" ? target?.runId : undefined;
    if (runId === undefined || seen.has(runId)) return [];
    seen.add(runId);
    return [{ runId, since, level }];
  });
}

/** Asks a child, for at most `ms`. A child that gives no answer is a reason itself. */
async function askChild(call: Call, child: Child, ms: number): Promise<WhyEntry[]> {
  const { runId, level, since } = child;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  const answer = await Promise.race([readChild(call, runId).catch(() => undefined), late]);
  clearTimeout(timer);
  const entries = answer ?? [{ code: "CHILD_NOT_READ", text: "The child gave no answer.", since, actions: [] }];
  return entries.map((entry) => ({ ...entry, runId, level }));
}

async function readChild(call: Call, runId: string): Promise<WhyEntry[] | undefined> {
  const answer = await askRun(call, runId, { ask: "why" });
  if (!answer.ok) return undefined;
  const { why }: { readonly why: WhyEntry[] } = await answer.json();
  return why;
}
