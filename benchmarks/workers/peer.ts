/**
 * The peer: the same workflows on the local engine of Cloudflare Workflows.
 *
 * Owns: the detection of the end of a peer run. The function records its return in memory, which costs no time. Only then
 * is the status polled, until it is `complete`.
 */
import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep } from "cloudflare:workers";
import { sleepFor } from "./workflows.ts";

export interface PeerInput {
  readonly kind: "steps" | "parallel" | "waits";
  readonly n: number;
  readonly ms?: number;
}

/** Instances whose functions have reached their wait, or have returned, in this isolate. */
const waiting = new Set<string>();
const returned = new Set<string>();

/** The longest time that the engine takes to store a wait after the function requested it, ms. */
const WAIT_STORED_MS = 20;

export class Peer extends WorkflowEntrypoint<unknown, PeerInput> {
  override async run(event: Readonly<WorkflowEvent<PeerInput>>, step: WorkflowStep): Promise<number> {
    const { kind, n, ms = 0 } = event.payload;
    if (kind === "parallel") {
      await Promise.all(Array.from({ length: n }, (_, i) => step.do(`step-${i}`, () => sleepFor(ms))));
    } else {
      for (let i = 0; i < n; i++) await step.do(`step-${i}`, async () => ({ i, note: "a result" }));
      if (kind === "waits") {
        waiting.add(event.instanceId);
        await step.waitForEvent("go", { type: "go", timeout: "1 hour" });
      }
    }
    returned.add(event.instanceId);
    return n;
  }
}

/** Creates an instance. Resolves when it waits (`kind: "waits"`) or has ended (other kinds). */
export async function createPeer(workflow: Workflow<PeerInput>, id: string, input: PeerInput): Promise<string> {
  const instance = await workflow.create({ id, params: input });
  if (input.kind !== "waits") return ended(instance);
  while (!waiting.has(id)) await sleepFor(1);
  await sleepFor(WAIT_STORED_MS);
  return "waits";
}

export async function wakePeer(workflow: Workflow<PeerInput>, id: string): Promise<string> {
  const instance = await workflow.get(id);
  await instance.sendEvent({ type: "go", payload: {} });
  return ended(instance);
}

async function ended(instance: WorkflowInstance): Promise<string> {
  while (!returned.has(instance.id)) await sleepFor(1);
  for (;;) {
    const { status } = await instance.status();
    if (["complete", "errored", "terminated"].includes(status)) return status;
    await sleepFor(1);
  }
}
