/** tests: answers to a turn that are no refusals of the step handler, although their status is a 4xx or a redirect (DUR8) */
import { SIGNATURE_HEADER, signRequest } from "@holdfast/protocol/transport";
import type { StepHandler } from "@holdfast/workflows/handler";
import { expect, test, vi } from "vitest";
import { KEY, Network, URL_OF_HANDLER, read, steps, trigger, until } from "./handler-network.ts";

const newNetwork = (): Network => new Network({ workflows: [steps] });

test.each<[status: number, text: string, headers?: Record<string, string>]>([
  [400, ""],
  [404, "404 page not found"],
  [408, ""],
  [425, ""],
  [301, "", { Location: "https://www.example/holdfast/turn" }],
])("DUR8 an answer %i that no step handler sent is no refusal: the turn is repeated", async (status, text, headers) => {
  const network = newNetwork();
  network.breaks = async (n, _request, pass) =>
    n === 2 || n === 3 ? new Response(text, { status, ...(headers && { headers }) }) : pass();
  const api = network.deploy();
  await trigger(api, "steps", { n: 3 });
  expect(await until(api, "completed")).toMatchObject({ output: 3, invocationCount: 1 });
});

test.each([401, 403, 404, 413])("DUR8 the refusal %i of a step handler pauses the run", async (status) => {
  const network = newNetwork();
  network.breaks = async () => Response.json({ error: "a_code", message: "a reason" }, { status });
  const api = network.deploy();
  await trigger(api, "steps", { n: 1 });
  expect(await until(api, "paused")).toMatchObject({
    error: { code: "DISPATCH_REFUSED", message: expect.stringContaining(`answered ${status}: a reason`) },
  });
});

test("DUR8 SEC3 a proxy that sends a request twice, and passes on the second answer, pauses no run", async () => {
  const network = newNetwork();
  network.breaks = async (n, request, pass) => {
    const again = request.clone();
    const first = await pass();
    return n === 1 || n === 3 ? (network.handlers[0] as StepHandler)(again) : first;
  };
  const api = network.deploy();
  await trigger(api, "steps", { n: 3 });
  expect(await until(api, "completed")).toMatchObject({ output: 3, invocationCount: 1 });
});

test.each([-360_000, 360_000])("DUR8 SEC3 a clock that is %i ms off for a moment pauses no run", async (ms) => {
  const network = newNetwork();
  network.breaks = async (n, request, pass) => {
    if (n !== 2 && n !== 3) return pass();
    const body = await request.text();
    const signed = {
      method: "POST",
      path: new URL(URL_OF_HANDLER).pathname + "/turn",
      body,
      audience: URL_OF_HANDLER,
    };
    request.headers.set(SIGNATURE_HEADER, await signRequest(signed, KEY, Date.now() + ms, crypto.randomUUID()));
    return (network.handlers[0] as StepHandler)(
      new Request(request.url, { method: "POST", headers: request.headers, body }),
    );
  };
  const api = network.deploy();
  await trigger(api, "steps", { n: 3 });
  expect(await until(api, "completed")).toMatchObject({ output: 3, invocationCount: 1 });
});

test("DUR8 the reason of a run whose handler is redirected names the address", async () => {
  const network = newNetwork();
  network.breaks = async () => new Response(null, { status: 308, headers: { Location: "https://new.example/turn" } });
  const api = network.deploy();
  await trigger(api, "steps", { n: 1 });
  const message = "answered 308: it redirects to https://new.example/turn, and redirects are not followed";
  await vi.waitFor(async () => expect(JSON.stringify((await read(api))["why"])).toContain(message), 10_000);
});
