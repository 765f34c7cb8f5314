/** tests: requests with one idempotency key that overlap (RUN2) */
import { workflow } from "@holdfast/workflows";
import { expect, test } from "vitest";
import { FakeDeployment, answerOf } from "./fake-platform.ts";

const quick = workflow({ id: "quick", run: (input: number) => input });

type Ask = { readonly ask: string; readonly trigger?: { readonly input: string; readonly workflowId: string } };

/** A deployment whose commands to objects a test can delay, or answer itself. */
class Delayed {
  readonly objects = new FakeDeployment([quick]);
  /** Gets each command. A returned response is the answer. */
  before: (command: Ask, pass: () => Promise<Response>) => Promise<Response> = (_command, pass) => pass();
  readonly api = new FakeDeployment([quick], {
    runDO: {
      idFromName: (name) => name,
      get: (name) => ({
        fetch: async (request) => {
          const command = (await request.clone().json()) as Ask;
          return this.before(command, () => this.objects.runDO.get(name as string).fetch(request));
        },
      }),
    },
  });

  /** Holds the triggers for which `matches` is true, until they are released. */
  hold(matches: (trigger: NonNullable<Ask["trigger"]>) => boolean): { arrived: Promise<void>; release: () => void } {
    const [arrived, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const { before } = this;
    this.before = async (command, pass) => {
      if (command.trigger === undefined || !matches(command.trigger)) return before(command, pass);
      arrived.resolve();
      await released.promise;
      return pass();
    };
    return { arrived: arrived.promise, release: () => released.resolve() };
  }

  async trigger(json: object): Promise<{ status: number; body: Record<string, unknown> }> {
    return answerOf(await this.api.fetch("/api/runs", { json: { workflowId: "quick", input: 1, ...json } }));
  }
}

const KEY = { runId: "a", idempotencyKey: "k" };

test("RUN2 a rejected trigger leaves the key to the run that another request has created under the same id", async () => {
  const delayed = new Delayed();
  const hold = delayed.hold(({ input }) => input === "[1]");
  const first = delayed.trigger({ ...KEY, input: 1 });
  await hold.arrived;
  expect(await delayed.trigger({ ...KEY, input: 2 })).toMatchObject({ status: 201 });
  hold.release();
  expect(await first).toMatchObject({ status: 409 });
  expect(await delayed.trigger({ ...KEY, runId: "b" })).toMatchObject({ status: 409 });
});

test("RUN2 a run has its key although an earlier request for its id is rejected while it is created", async () => {
  const delayed = new Delayed();
  const hold = delayed.hold(() => true);
  const refused = delayed.trigger({ ...KEY, workflowId: "absent" });
  await hold.arrived;
  const created = delayed.hold(({ workflowId }) => workflowId === "quick");
  const other = delayed.trigger(KEY);
  await created.arrived;
  hold.release();
  expect(await refused).toMatchObject({ status: 404 });
  created.release();
  expect(await other).toMatchObject({ status: 201 });
  expect(await delayed.trigger({ ...KEY, runId: "b" })).toMatchObject({ status: 409 });
});

test("RUN2 a trigger whose effect is unknown does not free its key", async () => {
  const delayed = new Delayed();
  delayed.before = async ({ ask }, pass) => {
    const answer = await pass();
    return ask === "trigger"
      ? Response.json({ error: "internal_error", message: "it failed" }, { status: 500 })
      : answer;
  };
  expect((await delayed.trigger(KEY)).status).toBe(500);
  delayed.before = (_command, pass) => pass();
  expect(await delayed.trigger({ ...KEY, runId: "b" })).toMatchObject({ status: 409 });
  expect(await delayed.trigger(KEY)).toMatchObject({ status: 200, body: { id: "a" } });
});

test("RUN2 a trigger that is rejected alone frees its key", async () => {
  const delayed = new Delayed();
  expect(await delayed.trigger({ ...KEY, workflowId: "absent" })).toMatchObject({ status: 404 });
  expect(await delayed.trigger({ ...KEY, runId: "b" })).toMatchObject({ status: 201 });
});
