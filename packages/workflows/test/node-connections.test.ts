/** tests: the upgrades of a Node server (PIPE1) */
import { once } from "node:events";
import { type IncomingMessage, type Server, createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, expect, test } from "vitest";
import { createStepHandler } from "../src/handler/index.ts";
import { acceptConnections } from "../src/node/index.ts";

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

const newHandler = (): ReturnType<typeof createStepHandler> =>
  createStepHandler({ workflows: [], signingKeys: ["0123456789abcdef"], audience: "steps" });

function newServer(options: Parameters<typeof createServer>[0] = {}): Server {
  const server = createServer(options, (_request, response) => response.end("served"));
  servers.push(server);
  return server;
}

/** Sends a request as a client does that prefers HTTP/2. */
async function sendWithUpgrade(server: Server): Promise<readonly [number | undefined, string]> {
  server.listen(0);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const sent = request({ port, headers: { Connection: "Upgrade", Upgrade: "h2c" } }).end();
  const [answer] = (await once(sent, "response")) as [IncomingMessage];
  return [answer.statusCode, await text(answer)];
}

test("PIPE1 a server passes its connections to one step handler: a second one is refused at once", () => {
  const server = newServer();
  acceptConnections(server, newHandler());
  expect(() => acceptConnections(server, newHandler())).toThrow(/another step handler accepts the connections/);
  acceptConnections(newServer(), newHandler());
});

test("PIPE1 the answer to an upgrade that is none of an orchestrator says what to do", async () => {
  const server = newServer();
  acceptConnections(server, newHandler());
  const [status, body] = await sendWithUpgrade(server);
  expect([status, JSON.parse(body)]).toEqual([
    404,
    { error: "not_found", message: expect.stringContaining("without the header Upgrade") as unknown },
  ]);
});

test("PIPE1 a server with shouldUpgradeCallback serves requests that offer an upgrade to HTTP/2", async () => {
  const server = newServer({ shouldUpgradeCallback: ({ headers }) => headers.upgrade === "websocket" });
  acceptConnections(server, newHandler());
  expect(await sendWithUpgrade(server)).toEqual([200, "served"]);
});
