/** tests: the upgrades of a Node server (PIPE1) */
import { once } from "node:events";
import { type IncomingMessage, type Server, createServer, request } from "node:http";
import { type AddressInfo, type Socket, connect } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, expect, test, vi } from "vitest";
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

/** Sends an upgrade on a socket whose end this client decides. Returns both ends. */
async function upgradeOn(server: Server, headers: string): Promise<{ readonly outer: Socket; readonly inner: Socket }> {
  if (!server.listening) await once(server.listen(0, "127.0.0.1"), "listening");
  const outer = connect({ port: (server.address() as AddressInfo).port, host: "127.0.0.1", allowHalfOpen: true });
  const [inner] = (await once(server, "connection")) as [Socket];
  outer.write(`GET /connect HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${headers}\r\n`);
  return { outer, inner };
}

const STRANGERS = { "no signature": "", "a wrong signature": "Holdfast-Signature: t=1,n=12345678,v1=0\r\n" };

test.each(Object.entries(STRANGERS))(
  "PIPE4 LIM2 a refused upgrade with %s keeps no socket, although its client never ends it",
  async (_what, headers) => {
    const server = newServer();
    acceptConnections(server, newHandler());
    const { outer, inner } = await upgradeOn(server, headers);
    const answer = await text(outer);
    expect(answer).toMatch(/^HTTP\/1.1 40[14] /);
    await vi.waitFor(() => expect(inner.destroyed).toBe(true));
    outer.destroy();
  },
);

test.each(Object.entries(STRANGERS))(
  "PIPE4 LIM2 an upgrade with %s that its client resets does not end the process",
  async (_what, headers) => {
    const server = newServer();
    acceptConnections(server, newHandler());
    for (let i = 0; i < 20; i++) {
      const { outer, inner } = await upgradeOn(server, headers);
      outer.resetAndDestroy();
      await vi.waitFor(() => expect(inner.destroyed).toBe(true));
    }
  },
);
