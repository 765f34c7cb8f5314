/** tests: the object of a coordinator: names, requests, alarms, and messages in both directions */
import {
  type CoordinatorDraft,
  type CoordinatorHeader,
  type CoordinatorMachine,
  type CoordinatorSelf,
  type CoordinatorState,
} from "@holdfast/orchestrator";
import { describe, expect, test, vi } from "vitest";
import { CoordinatorObject } from "../src/coordinator/coordinator-object.ts";
import { serveCoordinatorAlarm, serveCoordinatorRequest } from "../src/coordinator/handlers.ts";
import { type CoordinatorRequest, askCoordinator, messengerOf } from "../src/run-object/messenger.ts";
import { coordinatorName, coordinatorOf } from "../src/run-object/names.ts";
import { FakeStorage } from "./fake-platform.ts";

type State = CoordinatorState<CoordinatorHeader & { readonly received: number; readonly at?: number }>;

const listener: CoordinatorMachine<State> = {
  kind: "job",
  load: (store, header) => ({ header, store }),
  first: (common) => ({ ...common, received: 0 }),
  nextAlarm: ({ at }) => at,
  message(draft: CoordinatorDraft<State>, { to }: { to?: string }) {
    draft.change({ received: draft.header.received + 1, at: draft.now + 1_000 });
    if (to !== undefined) draft.post({ kind: "job", name: to }, {});
    return { type: "acknowledged", answer: { received: draft.header.received } };
  },
  command: (draft, command) =>
    "refuse" in command
      ? { type: "refused", code: "not_applicable", message: "No." }
      : { type: "done", body: { received: draft.header.received } },
  answered: () => {},
  alarm: (draft) => draft.change({ received: 100 }),
};

/** The objects of a deployment. */
class Objects {
  now = 10_000;
  readonly storages = new Map<string, FakeStorage>();
  readonly objects = new Map<string, CoordinatorObject>();
  readonly binding = {
    idFromName: (name: string) => name,
    get: (name: string) => ({ fetch: (request: Request) => serveCoordinatorRequest(() => this.open(name), request) }),
  };

  open(name: string): CoordinatorObject {
    const storage = this.storages.get(name) ?? new FakeStorage();
    this.storages.set(name, storage);
    const made = () =>
      new CoordinatorObject({ storage, coordinatorDO: this.binding, kinds: [listener], clock: () => this.now });
    const object = this.objects.get(name) ?? made();
    this.objects.set(name, object);
    return object;
  }

  async ask(self: CoordinatorSelf, request: object): Promise<unknown> {
    const answer = await askCoordinator(this.binding, { self, ...request } as CoordinatorRequest);
    return answer?.json();
  }
}

const SELF = { kind: "job", name: "a" } as const;

describe("the object of a coordinator", () => {
  test("SEC2 no two coordinators of different kinds, tenants and scopes have one name", () => {
    const names = [
      SELF,
      { ...SELF, kind: "gate" as const },
      { ...SELF, tenantId: "t" },
      { ...SELF, scope: "deployment" as const },
      { ...SELF, name: "t\u0001a" },
    ].map(coordinatorName);
    expect(new Set(names).size).toBe(names.length);
    expect(coordinatorOf({ kind: "gate", name: "x" }, "t")).toEqual({ kind: "gate", name: "x", tenantId: "t" });
    expect(coordinatorOf({ kind: "gate", name: "x", scope: "deployment" }, "t")).not.toHaveProperty("tenantId");
  });

  test("CO1 it answers messages and commands, and its alarm finds the kind in the header", async () => {
    const objects = new Objects();
    expect(await objects.ask(SELF, { ask: "message", message: {} })).toEqual({
      type: "acknowledged",
      answer: { received: 1 },
    });
    expect(await objects.ask(SELF, { ask: "command", command: {} })).toEqual({ received: 1 });
    expect(await objects.ask(SELF, { ask: "command", command: { refuse: true } })).toMatchObject({
      error: "not_applicable",
    });
    const name = coordinatorName(SELF);
    const storage = objects.storages.get(name);
    expect(storage?.alarmAt).toBe(11_000);
    objects.objects.clear();
    objects.now = 11_000;
    await serveCoordinatorAlarm(() => objects.open(name), { storage: storage ?? new FakeStorage() });
    expect(await objects.ask(SELF, { ask: "command", command: {} })).toEqual({ received: 100 });
    // The alarm in flight had the same time: workerd would ignore it (A1).
    expect(storage?.alarmAt).not.toBe(11_000);
  });

  test("CHILD4 it sends the messages of its outbox to other coordinators of its tenant", async () => {
    const objects = new Objects();
    const self = { ...SELF, tenantId: "t" };
    await objects.ask(self, { ask: "message", message: { to: "b" } });
    await vi.waitFor(async () =>
      expect(await objects.ask({ ...self, name: "b" }, { ask: "command", command: {} })).toEqual({ received: 1 }),
    );
    await vi.waitFor(() =>
      expect([...(objects.storages.get(coordinatorName(self))?.rows.keys() ?? [])]).toEqual(["header"]),
    );
  });

  test("VER4 an object of a kind that only newer code has, and a deployment without the class, are unreachable", async () => {
    const objects = new Objects();
    expect(await objects.ask({ kind: "topic", name: "x" }, { ask: "message", message: {} })).toEqual({
      type: "unreachable",
    });
    const { promise, resolve } = Promise.withResolvers<unknown>();
    messengerOf({}, () => undefined)({ kind: "gate", name: "x" }, {}, resolve);
    expect(await promise).toEqual({ type: "unreachable" });
  });

  test("DUR5 a request sets an alarm that the clock has passed in a step", async () => {
    const objects = new Objects();
    await objects.ask(SELF, { ask: "message", message: {} });
    objects.now += 3_600_000;
    await objects.ask(SELF, { ask: "command", command: {} });
    expect(objects.storages.get(coordinatorName(SELF))?.alarmAt).toBe(objects.now + 1);
  });

  test("DUR5 a failure is answered, and an alarm that fails is set again", async () => {
    const error = vi.spyOn(console, "error").mockImplementation(() => {});
    const broken = (): never => {
      throw new Error("no storage");
    };
    const storage = new FakeStorage();
    await serveCoordinatorAlarm(broken, { storage, clock: () => 1_000 });
    expect(storage.alarmAt).toBe(6_000);
    const answer = await serveCoordinatorRequest(broken, new Request("https://x/", { method: "POST", body: "{}" }));
    expect(answer.status).toBe(500);
    expect(error).toHaveBeenCalledTimes(2);
    error.mockRestore();
  });
});
