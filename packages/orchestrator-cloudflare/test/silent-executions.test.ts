/** tests: bodies that block the process of their step handler, over HTTP (DUR11) */
import { workflow } from "@holdfast/workflows";
import { createStepHandler } from "@holdfast/workflows/handler";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createHttpDispatcher } from "../src/index.ts";
import type { FakeDeployment } from "./fake-platform.ts";
import { KEY, URL_OF_HANDLER, deployed, trigger } from "./handler-network.ts";
import { VirtualTime, virtualPlatform } from "./virtual-time.ts";

beforeEach(() => VirtualTime.begin());
afterEach(() => VirtualTime.end());

const never = new Promise<never>(() => {});

/** A process whose requests hang while a body blocks it, or while its host is gone. */
class Host {
  blocked = false;
  gone = false;
  calls = 0;
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
  readonly #handler = createStepHandler({
    workflows: [this.#workflow],
    signingKeys: [KEY],
    audience: URL_OF_HANDLER,
    platform: virtualPlatform,
  });
  readonly api: FakeDeployment = deployed(
    createHttpDispatcher({ url: URL_OF_HANDLER, signingKey: KEY, fetch: (request) => this.#fetch(request) }),
  );

  readonly #time = new VirtualTime(this.api, "r");

  async #fetch(request: Request): Promise<Response> {
    if (this.gone) return never;
    // A trigger asks for the list, before time advances.
    if (request.method === "GET") return this.#handler(request);
    // The process is free again when the next execution starts.
    if ((await request.clone().text()).includes('"start":')) this.blocked = false;
    if (this.blocked) return never;
    const response = await this.#handler(request);
    // The answer is on its way for 10 ms, in which a body may block the process.
    await new Promise((resolve) => setTimeout(resolve, 10));
    return this.blocked ? never : response;
  }

  get header(): Record<string, unknown> & { readonly status: string } {
    return this.api.storageOf("r").rows.get("record") as Record<string, unknown> & { readonly status: string };
  }

  /** Advances the time by seconds, until `until` holds. */
  async advance(seconds: number, until: () => boolean = () => false): Promise<void> {
    for (const end = Date.now() + seconds * 1_000; Date.now() < end && !until();) await this.#time.advance();
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
}, 180_000);

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
}, 180_000);
