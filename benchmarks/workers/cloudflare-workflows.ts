/**
 * The same work on the local engine of Cloudflare Workflows.
 *
 * Owns: the detection of the end of an instance. The function records its return in memory, which costs no time. Only then
 * is the status polled, until it is `complete`.
 */
import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep } from "cloudflare:workers";
import { resultOf, sleepFor } from "./workflows.ts";

interface Input {
  readonly kind: "steps" | "parallel";
  readonly n: number;
  readonly chars?: number;
  readonly ms?: number;
  readonly waits?: boolean;
}

/** Instances whose functions have reached their wait, or have returned, in this isolate. */
const waiting = new Set<string>();
const returned = new Set<string>();

/** The longest time that the engine takes to store a wait after the function requested it, ms. */
const WAIT_STORED_MS = 20;

export class Peer extends WorkflowEntrypoint<unknown, Input> {
  override async run(event: Readonly<WorkflowEvent<Input>>, step: WorkflowStep): Promise<number> {
    const { kind, n, ms = 0, chars = 0, waits = false } = event.payload;
    const results: unknown[] = [];
    if (kind === "parallel") {
      await Promise.all(Array.from({ length: n }, (_, i) => step.do(`step-${i}`, () => sleepFor(ms))));
    } else {
      for (let i = 0; i < n; i++) results.push(await step.do(`step-${i}`, async () => resultOf(i, chars)));
      if (waits) {
        waiting.add(event.instanceId);
        await step.waitForEvent("go", { type: "go", timeout: "1 hour" });
      }
    }
    returned.add(event.instanceId);
    return n;
  }
}

async function ended(instance: WorkflowInstance): Promise<void> {
  while (!returned.has(instance.id)) await sleepFor(1);
  for (;;) {
    const { status } = await instance.status();
    if (status === "complete") return;
    if (status === "errored" || status === "terminated") throw new Error(`ended as ${status}`);
    await sleepFor(1);
  }
}

async function parked(instance: WorkflowInstance): Promise<void> {
  while (!waiting.has(instance.id)) await sleepFor(1);
  await sleepFor(WAIT_STORED_MS);
}

export default {
  async fetch(request: Request, { PEER }: { readonly PEER: Workflow<Input> }): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const id = searchParams.get("id") ?? "";
    const create = async (): Promise<WorkflowInstance> => PEER.create({ id, params: await request.json<Input>() });
    if (pathname === "/run") await ended(await create());
    else if (pathname === "/park") await parked(await create());
    else if (pathname === "/signal") await (await PEER.get(id)).sendEvent({ type: "go", payload: {} });
    else await ended(await PEER.get(id));
    return new Response();
  },
};
