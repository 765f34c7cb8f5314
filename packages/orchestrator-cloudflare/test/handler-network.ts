/**
 * A network between a dispatcher and step handlers that a test can break, and the actions on a run whose code it reaches.
 */
import { workflow } from "@holdfast/workflows";
import { type StepHandler, type StepHandlerOptions, createStepHandler } from "@holdfast/workflows/handler";
import { expect, vi } from "vitest";
import { type StepDispatcher, createHttpDispatcher } from "../src/index.ts";
import { FakeDeployment } from "./fake-platform.ts";

export const KEY = "a-key-that-both-sides-know";
export const URL_OF_HANDLER = "https://steps.example/holdfast";

export const steps = workflow({
  id: "steps",
  run: async (input: { n: number }, ctx) => {
    let sum = 0;
    for (let i = 0; i < input.n; i++) sum += await ctx.step("add", () => i);
    return sum;
  },
});

type NetworkOptions = Omit<StepHandlerOptions, "signingKeys"> & Partial<StepHandlerOptions>;

export class Network {
  readonly requests: string[] = [];
  handlers: StepHandler[];
  /** Gets each request with its number. A returned response is the answer. */
  breaks: (number: number, request: Request, pass: () => Promise<Response>) => Promise<Response> = (_n, _r, pass) =>
    pass();
  readonly #options: NetworkOptions;

  /** Requests go to the handlers in turn. */
  constructor(options: NetworkOptions, handlers = 1) {
    this.#options = options;
    this.handlers = Array.from({ length: handlers }, () => this.newHandler());
  }

  /** Returns another instance of the step handler, which knows no session. */
  newHandler(): StepHandler {
    return createStepHandler({ signingKeys: [KEY], audience: URL_OF_HANDLER, ...this.#options });
  }

  readonly fetch = (request: Request): Promise<Response> => this.answer(request);

  async answer(request: Request): Promise<Response> {
    // A trigger asks for the list, once per deployment. The tests count and break the requests of executions.
    if (request.method === "GET") return NO_LIST.clone();
    const number = this.requests.push(await request.clone().text());
    const handler = this.handlers[number % this.handlers.length] as StepHandler;
    return this.breaks(number, request, () => handler(request));
  }

  deploy(
    more: Partial<Parameters<typeof createHttpDispatcher>[0]> = {},
    object: ConstructorParameters<typeof FakeDeployment>[3] = {},
  ): FakeDeployment {
    const options = { url: URL_OF_HANDLER, signingKey: KEY, fetch: this.fetch, ...more };
    return deployed(createHttpDispatcher(options), object);
  }
}

/** A handler that lists nothing refuses no trigger. */
const NO_LIST = Response.json({ protocol: 1, workflows: [] });

export function deployed(
  dispatcher: StepDispatcher,
  object: ConstructorParameters<typeof FakeDeployment>[3] = {},
): FakeDeployment {
  return new FakeDeployment([], {}, dispatcher, object);
}

export async function trigger(
  api: FakeDeployment,
  workflowId: string,
  input: unknown = null,
  runId = "r",
): Promise<void> {
  expect((await api.fetch("/api/runs", { json: { runId, workflowId, input } })).status).toBe(201);
}

export async function read(api: FakeDeployment, runId = "r"): Promise<Record<string, unknown>> {
  return (await api.fetch(`/api/runs/${runId}`)).json() as Promise<Record<string, unknown>>;
}

/** Waits for a status, and fires due alarms. `now`: the time of the run's object. */
export async function until(
  api: FakeDeployment,
  status: string,
  { runId = "r", now = () => Date.now() }: { readonly runId?: string; readonly now?: () => number } = {},
): Promise<Record<string, unknown>> {
  await vi.waitFor(
    async () => {
      const { alarmAt } = api.storageOf(runId);
      if (alarmAt !== null && alarmAt <= now()) await api.alarm(runId);
      const record = await read(api, runId);
      if (record["status"] !== status) throw new Error(`it is ${JSON.stringify(record)}`);
    },
    { timeout: 15_000, interval: 5 },
  );
  return read(api, runId);
}
