/** tests: the address that stays: requests wait, pass unchanged, and are answered when nothing serves */
import { once } from "node:events";
import { type Server, createServer } from "node:http";
import { type AddressInfo, connect, createServer as createTcpServer } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Gateway } from "../../src/dev/gateway.ts";

let gateway: Gateway;
let url: string;
const servers: Server[] = [];

beforeEach(async () => {
  gateway = new Gateway();
  await once(gateway.server.listen(0, "127.0.0.1"), "listening");
  url = `http://127.0.0.1:${(gateway.server.address() as AddressInfo).port}`;
});

afterEach(() => {
  gateway.close();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** Starts a server in place of workerd. */
async function serve(listener: Parameters<typeof createServer>[1]): Promise<Server & { readonly port: number }> {
  const server = createServer({}, listener);
  servers.push(server);
  await once(server.listen(0, "127.0.0.1"), "listening");
  return Object.assign(server, { port: (server.address() as AddressInfo).port });
}

test("DEV4 requests wait while nothing serves, and pass with method, path, headers and body", async () => {
  const seen: unknown[] = [];
  let requests = 0;
  gateway.server.on("request", () => requests++);
  const upstream = await serve((request, response) => {
    const { method, url: path, headers } = request;
    void text(request).then((body) => {
      seen.push([method, path, headers.host, headers["x-one"], body]);
      response.writeHead(201, ["X-A", "1", "X-A", "2", "Content-Type", "text/plain"]).end("done");
    });
  });
  const streamed = new ReadableStream({
    start: (controller) => {
      controller.enqueue(new TextEncoder().encode("part 1, "));
      setTimeout(() => {
        controller.enqueue(new TextEncoder().encode("part 2"));
        controller.close();
      }, 20);
    },
  });
  const options = { method: "POST", headers: { "X-One": "1" }, body: streamed, duplex: "half" } as RequestInit;
  const waiting = [fetch(`${url}/a?b=%20c`, options), fetch(`${url}/d`, { method: "DELETE" })];
  await expect.poll(() => requests).toBe(2);
  gateway.open(upstream.port);
  const [first, second] = await Promise.all(waiting);
  expect([first?.status, await first?.text(), first?.headers.get("x-a")]).toEqual([201, "done", "1, 2"]);
  expect(second?.status).toBe(201);
  const { host } = new URL(url);
  expect(seen).toContainEqual(["POST", "/a?b=%20c", host, "1", "part 1, part 2"]);
  expect(seen).toContainEqual(["DELETE", "/d", host, undefined, ""]);
});

test("DEV4 a request that finds its server gone waits for the next one", async () => {
  const gone = await serve(() => {});
  await new Promise((resolve) => gone.close(resolve));
  gateway.open(gone.port);
  const waiting = fetch(url);
  const next = await serve((_request, response) => response.end("next"));
  setTimeout(() => gateway.open(next.port), 30);
  expect(await (await waiting).text()).toBe("next");
});

test("DEV4 a request whose body the server does not read to its end is answered 413, and not as if it may be repeated", async () => {
  const upstream = createTcpServer((socket) => {
    socket.on("error", () => {});
    // As workerd closes: bytes that nobody has read make the kernel reset the connection.
    socket.once("data", () => {
      socket.pause();
      socket.write("HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\nConnection: close\r\n\r\nlarge", () =>
        socket.destroy(),
      );
    });
  });
  await once(upstream.listen(0, "127.0.0.1"), "listening");
  gateway.open((upstream.address() as AddressInfo).port);
  for (let n = 0; n < 30; n++) {
    const response = await fetch(url, { method: "POST", body: new Uint8Array(4_000_000) });
    expect(response.status).toBe(413);
    expect(await response.text()).toMatch(/^large$|"body_too_large"/);
  }
  upstream.close();
});

test("DEV4 a caller that goes away while nothing serves leaves no request", async () => {
  let served = 0;
  const upstream = await serve((_request, response) => {
    served++;
    response.end();
  });
  const controller = new AbortController();
  const gone = fetch(url, { signal: controller.signal }).catch(() => "gone");
  await once(gateway.server, "request");
  controller.abort();
  expect(await gone).toBe("gone");
  const next = fetch(url);
  await once(gateway.server, "request");
  gateway.open(upstream.port);
  expect((await next).status).toBe(200);
  expect(served).toBe(1);
});

test("DEV4 a request that a server took with it is answered 503, and a stream ends", async () => {
  const upstream = await serve((request, response) => {
    if (request.url === "/stream") response.write("first");
  });
  gateway.open(upstream.port);
  const [silent, stream] = [fetch(url), fetch(`${url}/stream`)];
  const reader = (await stream).body?.getReader();
  expect(new TextDecoder().decode((await reader?.read())?.value)).toBe("first");
  upstream.closeAllConnections();
  expect((await silent).status).toBe(503);
  expect((await silent).headers.get("retry-after")).toBe("1");
  await expect(reader?.read()).rejects.toThrow("terminated");
});

test("DEV3 while there is nothing to serve, every request is answered 503 with the reason", async () => {
  const waiting = fetch(url);
  gateway.refuse("The entry is broken.");
  for (const answer of [await waiting, await fetch(url)]) {
    expect(answer.status).toBe(503);
    expect(await answer.json()).toEqual({ error: "dev_not_serving", message: "The entry is broken." });
  }
});

test("DEV4 a caller that goes away ends its request, and a socket passes in both directions", async () => {
  let ended = false;
  const upstream = await serve((_request, response) => {
    response.write("x");
    response.on("close", () => (ended = true));
  });
  upstream.on("upgrade", (request, socket) => {
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nX-Path: ${request.url}\r\n\r\n`);
    socket.on("data", (data: Buffer) => socket.end(`echo ${data.toString()}`));
  });
  gateway.open(upstream.port);
  const stopped = new AbortController();
  await fetch(url, { signal: stopped.signal });
  stopped.abort();
  await expect.poll(() => ended).toBe(true);

  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  socket.write("GET /s HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  const [head] = (await once(socket, "data")) as [Buffer];
  expect(head.toString()).toMatch(/^HTTP\/1\.1 101 .*\r\nConnection: Upgrade\r\nX-Path: \/s\r\n/);
  socket.write("hello");
  expect(await text(socket)).toBe("echo hello");
});

test("DEV9 /ui is the dashboard while nothing serves, without a token, also while the code is broken", async () => {
  for (const path of ["/ui/", "/ui/runs/a%2Fb?tab=journal"]) {
    const page = await fetch(url + path);
    expect([page.status, page.headers.get("content-type")]).toEqual([200, "text/html;charset=utf-8"]);
    expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
    const [asset = ""] = /\/ui\/assets\/app-[^"]+/.exec(await page.text()) ?? [];
    expect(await (await fetch(url + asset)).text()).toMatch(/\bimport\b|\bfunction\b/);
  }
  gateway.refuse("The entry is broken.");
  const again = await fetch(`${url}/ui`, { redirect: "manual" });
  expect([again.status, again.headers.get("location")]).toEqual([308, "/ui/"]);
  expect((await fetch(`${url}/ui/none`)).status).toBe(404);
  expect((await fetch(`${url}/ui/`, { method: "POST", body: "x" })).status).toBe(405);
  expect((await fetch(`${url}/uix`)).status).toBe(503);
});

test("DEV9 with --no-dashboard a request below /ui goes to the Worker", async () => {
  gateway.close();
  gateway = new Gateway({ dashboard: false });
  await once(gateway.server.listen(0, "127.0.0.1"), "listening");
  const upstream = await serve((request, response) => response.end(`own ${request.url}`));
  gateway.open(upstream.port);
  const { port } = gateway.server.address() as AddressInfo;
  expect(await (await fetch(`http://127.0.0.1:${port}/ui/x`)).text()).toBe("own /ui/x");
});
