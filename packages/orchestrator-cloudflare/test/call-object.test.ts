/**
 * How a command reaches the object of a run.
 */
import { expect, test, vi } from "vitest";
import type { DurableObjectNamespaceLike } from "../src/index.ts";
import { RPC_CHARS_MAX, callObject } from "../src/run-object/call-object.ts";
import type { RunRequest } from "../src/run-object/commands.ts";

const COMMAND: RunRequest = {
  ask: "input",
  input: { type: "deliver", kind: "signal", name: "go", payload: "[1]", deliveryId: undefined, by: "ada" } as never,
};
/** The same as JSON has it. */
const SENT = { ask: "input", input: { type: "deliver", kind: "signal", name: "go", payload: "[1]", by: "ada" } };

function objectWith(ask?: (command: unknown) => Promise<unknown>) {
  const asked = vi.fn(ask);
  const fetched = vi.fn(async (request: Request) => new Response(`fetched ${await request.text()}`));
  const stub = { fetch: fetched, ...(ask === undefined ? {} : { ask: asked }) };
  const runDO: DurableObjectNamespaceLike = { idFromName: (name) => name, get: () => stub };
  return { call: (command: RunRequest) => callObject(runDO, "r", command), asked, fetched };
}

function lacks(message: string) {
  return objectWith(async () => {
    throw new TypeError(message);
  });
}

test("API1 an object with the method ask gets the command as it is, without the fields that are undefined", async () => {
  const { call, asked, fetched } = objectWith(async () => ({ status: 202, headers: { "X-A": "b" }, text: "{}" }));
  const answer = await call(COMMAND);
  expect([answer.status, answer.headers.get("X-A"), await answer.text()]).toEqual([202, "b", "{}"]);
  expect(asked.mock.calls).toStrictEqual([[SENT]]);
  expect(fetched).not.toHaveBeenCalled();
});

test("API1 an object answers with a response where the answer is a stream, or too large for RPC", async () => {
  const { call } = objectWith(async () => new Response("a stream"));
  expect(await (await call(COMMAND)).text()).toBe("a stream");
});

test.each([
  ["has fetch alone", undefined],
  ["has no method ask", 'The RPC receiver does not implement the method "ask".'],
  ["extends no DurableObject", "The receiving Durable Object does not support RPC, because its class was not declared"],
])("API1 a class that %s gets the command as JSON, and each later one at once", async (_title, message) => {
  const { call, asked, fetched } = message === undefined ? objectWith() : lacks(message);
  for (const _time of [1, 2]) expect(await (await call(COMMAND)).text()).toBe(`fetched ${JSON.stringify(SENT)}`);
  expect(fetched).toHaveBeenCalledTimes(2);
  expect(asked.mock.calls.length).toBe(message === undefined ? 0 : 1);
});

test("API1 a command that failed in the object is not sent again", async () => {
  const { call, fetched } = objectWith(async () => {
    throw new Error("the object left memory");
  });
  await expect(call(COMMAND)).rejects.toThrow("the object left memory");
  expect(fetched).not.toHaveBeenCalled();
});

test("API1 a command with more text than RPC takes is sent as JSON", async () => {
  const { call, asked, fetched } = objectWith(async () => ({ status: 200, headers: {}, text: "" }));
  const payload = "x".repeat(RPC_CHARS_MAX);
  await call({ ...COMMAND, input: { ...SENT.input, payload } } as never);
  expect(asked).not.toHaveBeenCalled();
  expect(fetched).toHaveBeenCalledOnce();
});
