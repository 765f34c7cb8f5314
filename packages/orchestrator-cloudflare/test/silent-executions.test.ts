/** tests: bodies that block the process of their step handler, over HTTP (DUR11) */
import { setTimeout as pause } from "node:timers/promises";
import { workflow } from "@holdfast/workflows";
import { createStepHandler } from "@holdfast/workflows/handler";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createHttpDispatcher } from "../src/index.ts";
import type { FakeDeployment } from "./fake-platform.ts";
import { KEY, URL_OF_HANDLER, deployed, trigger } from "./handler-network.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

const never = new Promise<never>(() => {});

/** A process whose requests hang while a body blocks it, or while its host is gone. */
class Host {
  blocked = false;
  gone = false;
  calls = 0;
  now = 1_800_000_000_000;
  readonly #workflow = workflow({
    id: "computing",
    run: async (_input, ctx) => {
      await ctx.step("prepare", () => 1);
      await ctx.step("compute", () => {
        this.calls += 1;
        this.blocked = true;
        return never;
      });
    },
  });
  readonly #handler = createStepHandler({ workflows: [this.#workflow], signingKeys: [KEY], audience: URL_OF_HANDLER });
  readonly api: FakeDeployment = deployed(
    createHttpDispatcher({ url: URL_OF_HANDLER, signingKey: KEY, fetch: (request) => this.#fetch(request) }),
    { clock: () => this.now },
  );

  async #fetch(request: Request): Promise<Response> {
    if (this.gone) return never;
    // The process is free again when the next execution starts.
    if ((await request.clone().text()).includes('"start":')) this.blocked = false;
    if (this.blocked) return never;
    const response = await this.#handler(request);
    await pause(10);
    return this.blocked ? never : response;
  }

  get header(): Record<string, unknown> & { readonly status: string } {
    return this.api.storageOf("r").rows.get("record") as Record<string, unknown> & { readonly status: string };
  }

  /** Advances the time by seconds, until `until` holds. */
  async advance(seconds: number, until: () => boolean = () => false): Promise<void> {
    for (let passed = 0; passed < seconds && !until(); passed++) {
      this.now += 1_000;
      await vi.advanceTimersByTimeAsync(1_000);
      const { alarmAt } = this.api.storageOf("r");
      if (alarmAt !== null && alarmAt <= this.now) void this.api.alarm("r");
      await pause(4);
    }
  }
}

test("DUR11 a body that blocks its process again and again pauses the run, and the message names the step", async () => {
  const host = new Host();
  await trigger(host.api, "computing");
  await host.advance(1_200, () => host.header.status === "paused");
  expect(host.header).toMatchObject({ status: "paused", error: { code: "EXECUTION_SILENT", step: "step/0/compute" } });
  const { message } = host.header["error"] as { message: string };
  expect(message).toMatch(/no sign of life for 40 s while the body of step "compute" .* blocks the event loop/);
  // The first execution could not name its body before the body blocked the process.
  expect(host.calls).toBe(5);
  expect(host.header["crashes"]).toBeUndefined();
}, 60_000);

test("DUR8 DUR11 an outage of a quarter of an hour during a body counts as one silence, and the run continues", async () => {
  const host = new Host();
  await trigger(host.api, "computing");
  await host.advance(120, () => host.calls === 2);
  host.gone = true;
  await host.advance(900);
  expect(host.header).toMatchObject({ status: "running", silent: { count: 1 }, dispatch: expect.anything() });
  host.gone = false;
  await host.advance(120, () => host.calls === 3);
  expect(host.calls).toBe(3);
}, 60_000);
