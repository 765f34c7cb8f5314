/** tests: a child that ended and was deleted before its parent had the acknowledgement of its start */
import { workflow } from "@holdfast/workflows";
import { expect, test } from "vitest";
import type { DurableObjectNamespaceLike, Retention } from "../src/index.ts";
import { FakeDeployment, answerOf } from "./fake-platform.ts";

/** A deployment in which the answer to the first start of a child is lost. */
class LossyDeployment extends FakeDeployment {
  executed = 0;
  lost = 0;

  constructor(retention: Retention | undefined) {
    const child = workflow({ id: "child", run: (_input, ctx) => ctx.step("count", () => (this.executed += 1)) });
    const parent = workflow({
      id: "parent",
      run: async ({ detach }: { detach: boolean }, ctx) => {
        if (detach) await ctx.invoke(child, null, { detach });
        else await ctx.invoke(child, null);
        await ctx.sleep("1h");
      },
    });
    const runDO: DurableObjectNamespaceLike<string> = {
      idFromName: (name) => name,
      get: (name) => ({
        fetch: async (request) => {
          const isStart = (await request.clone().text()).includes('"message":{"type":"trigger"');
          const answer = await this.runDO.get(name).fetch(request);
          if (!isStart || this.lost > 0) return answer;
          this.lost += 1;
          throw new Error("the answer is lost");
        },
      }),
    };
    super([child, parent], {}, undefined, { runDO, retention });
  }

  /** The id of the only child. */
  get childId(): string {
    const id = [...this.storages.keys()].find((name) => name !== "p");
    if (id === undefined) throw new Error("no child");
    return id;
  }

  async status(id: string): Promise<unknown> {
    const { status, body } = await answerOf(await this.fetch(`/api/runs/${encodeURIComponent(id)}`));
    return status === 200 ? body.status : status;
  }
}

test.each([
  ["attached", "by a request"],
  ["attached", "by retention"],
  ["detached", "by a request"],
  ["detached", "by retention"],
])("CHILD1 the start of a child that is %s does not create it again after it was deleted %s", async (kind, how) => {
  const api = new LossyDeployment(how === "by retention" ? { workflows: { child: "1ms" } } : undefined);
  await api.fetch("/api/runs", {
    json: { workflowId: "parent", runId: "p", input: { detach: kind === "detached" } },
    headers: { Prefer: "wait=5" },
  });
  await expect.poll(() => api.executed).toBe(1);
  await expect.poll(() => api.status(api.childId)).toBe("completed");
  const deleted = async (): Promise<unknown> => {
    if (how === "by retention") await api.alarm(api.childId);
    else await api.fetch(`/api/runs/${encodeURIComponent(api.childId)}`, { method: "DELETE" });
    return api.status(api.childId);
  };
  await expect.poll(deleted).toBe(404);
  // A new process of both objects: only rows count.
  for (const name of ["p", api.childId]) api.evict(name);
  const { rows } = api.storageOf("p");
  expect([...rows.keys()].filter((key) => key.startsWith("outbox/"))).toEqual([]);
  await api.alarm("p");
  expect([api.lost, api.executed, await api.status(api.childId)]).toEqual([1, 1, 404]);
});
