/** tests: what the client does with answers of servers that are not Holdfast, and of proxies in front of it */
import { createClient } from "@holdfast/workflows/client";
import { describe, expect, test } from "vitest";

function answering(...answers: readonly (() => Response)[]) {
  const requests: Request[] = [];
  const client = createClient({
    url: "http://flows.test",
    attempts: 3,
    retryAfterMs: 0,
    fetch: async (request) => {
      requests.push(request);
      return (answers[requests.length - 1] ?? answers.at(-1)!)();
    },
  });
  return { client, requests };
}

type Client = ReturnType<typeof createClient>;
const CALLS: readonly (readonly [name: string, call: (client: Client) => Promise<unknown>])[] = [
  ["trigger", (client) => client.trigger("order")],
  ["list", (client) => client.list()],
  ["bulk", (client) => client.bulk({ action: "cancel", ids: ["a"] })],
  ["rebuildIndex", (client) => client.rebuildIndex({ runIds: ["a"] })],
  ["workflows", (client) => client.workflows()],
  ["healthy", (client) => client.healthy()],
  ["health", (client) => client.health()],
  ["deployment", (client) => client.deployment()],
  ["get", (client) => client.run("a").get()],
  ["ended", (client) => client.run("a").ended()],
  ["ticket", (client) => client.run("a").ticket()],
  ["journal", (client) => client.run("a").journal().next()],
  ["audit", (client) => client.run("a").audit()],
  ["signal", (client) => client.run("a").signal("go")],
  ["event", (client) => client.run("a").event("go")],
  ["resolveToken", (client) => client.run("a").resolveToken("t")],
  ["cancel", (client) => client.run("a").cancel()],
  ["terminate", (client) => client.run("a").terminate("why")],
  ["pause", (client) => client.run("a").pause()],
  ["unpause", (client) => client.run("a").unpause()],
  ["retry", (client) => client.run("a").retry()],
  ["resume", (client) => client.run("a").resume()],
  ["delete", (client) => client.run("a").delete()],
];

describe("an answer that is not from Holdfast", () => {
  test.each(CALLS)("API4 does not look like success of %s", async (_name, call) => {
    for (const body of ["{}", "null", "[]", '"x"', '{"message":"hello"}', "<html>", ""]) {
      const { client } = answering(() => new Response(body));
      await expect(call(client), body).rejects.toMatchObject({ name: "ApiError", code: "unknown" });
    }
  });

  test.each(CALLS.filter(([name]) => name !== "delete"))("API4 %s takes no empty answer", async (_name, call) => {
    const { client } = answering(() => new Response(null, { status: 204 }));
    await expect(call(client)).rejects.toMatchObject({ code: "unknown" });
  });

  test.each(CALLS)("API4 %s follows no redirect, and the error names its target", async (_name, call) => {
    const to = () => new Response(null, { status: 301, headers: { Location: "https://flows.test/api/x?secret=1" } });
    const { client, requests } = answering(to);
    await expect(call(client)).rejects.toThrow(
      /answered 301 unknown: the answer is a redirect to https:\/\/flows\.test\/api\/x\./,
    );
    expect(requests.map(({ redirect }) => redirect)).toEqual(["manual"]);
  });
});

test.each([500, 502, 503, 504, 520, 521, 522, 523, 524, 525, 526, 530])(
  "API3 a request is repeated after %i",
  async (status) => {
    const { client, requests } = answering(
      () => new Response("<html>", { status }),
      () => Response.json({ workflows: [] }),
    );
    expect(await client.workflows()).toEqual([]);
    expect(requests).toHaveLength(2);
  },
);

test.each(["", ".", ".."])("API4 the id %j, which no URL can hold, is rejected before any request", (id) => {
  expect(() => answering(() => Response.json({})).client.run(id)).toThrow(`"${id}" is not the id of a run.`);
});
