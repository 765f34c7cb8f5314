/** tests: exit codes, input, and acts on many runs */
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { call, emptyFolder } from "./call.ts";
import { type FakeApi, RUNS, sampleRecord, sampleRun, startFakeApi } from "./fake-api.ts";

let api: FakeApi;
beforeEach(async () => {
  api = await startFakeApi();
});
afterEach(() => api[Symbol.asyncDispose]());

async function startSilentServer(): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer(() => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const on = (args: readonly string[], world: Parameters<typeof call>[1] = {}) =>
  call([...args, "--url", api.url], world);
const acts = () => api.seen.filter(({ method }) => method !== "GET");

describe("exit codes", () => {
  const refused = (status: number, error: string) => [status, { error, message: "why" }] as const;

  test.each([
    [404, "not_found", 3],
    [404, "workflow_not_found", 3],
    [409, "run_terminal", 4],
    [422, "anything", 4],
    [501, "index_not_configured", 4],
    [401, "unauthorized", 5],
    [403, "forbidden", 5],
    [503, "auth_not_configured", 5],
    [400, "invalid_body", 2],
  ])("CLI2 %i %s exits with its code and prints it", async (status, code, exit) => {
    api.answers.set("POST /api/runs", refused(status, code));
    const called = await on(["start", "order"]);
    expect(called).toMatchObject({ exit, stdout: "" });
    expect(called.stderr).toContain(`Error: ${code}: why\n  POST /api/runs answered ${status}`);
  });

  test("CLI2 an API that cannot be reached exits with 6, and the error names its address and the cause", async () => {
    const { url } = api;
    await api[Symbol.asyncDispose]();
    const called = await call(["run", "x", "--url", url]);
    expect(called).toMatchObject({ exit: 6, stdout: "" });
    expect(called.stderr).toContain(`could not be sent to ${url}: connect ECONNREFUSED`);
  });

  test("CLI2 an error with strange details is printed", async () => {
    api.answers.set("GET /api/runs/x", [400, { error: "odd", message: "why", details: { issues: [null, 3] } }]);
    expect(await on(["run", "x"])).toMatchObject({ exit: 2, stderr: expect.stringContaining("Error: odd: why\n") });
  });

  test("CLI2 a server that is not Holdfast exits with 6", async () => {
    api.answers.set("GET /api/runs/x", [404, "<html>"]);
    const called = await on(["run", "x"]);
    expect(called).toMatchObject({ exit: 6, stderr: expect.stringContaining("something other than Holdfast") });
  });

  test("CLI2 result, start --wait and start --follow exit with 1 for a failed run, and say why on stderr", async () => {
    api.answers.set("POST /api/runs", [201, { id: "failed", workflowId: "order", status: "running" }]);
    for (const args of [
      ["result", "failed"],
      ["start", "order", "--wait"],
    ]) {
      const called = await on(args);
      expect(called).toMatchObject({
        exit: 1,
        stderr: "Error: the run failed ended failed in step charge: DECLINED: card declined\n",
      });
    }
    expect((await on(["result", "failed"])).stdout).toBe("");
    expect((await on(["result", "done"])).exit).toBe(0);
  });

  test("CLI3 --timeout ends a wait with 6, and says that the run continues", async () => {
    const called = await on(["result", "waiting", "--timeout", "300ms"]);
    expect(called).toMatchObject({ exit: 6, stdout: "" });
    expect(called.stderr).toContain("The run continues. To wait again: holdfast result waiting\n");
    expect(acts()).toEqual([]);
    expect(await on(["result", "waiting", "--timeout", "soon"])).toMatchObject({ exit: 2 });
  });

  test("CLI3 --timeout limits a start whose server does not answer too", async () => {
    await using silent = await startSilentServer();
    const called = await call(["start", "order", "--wait", "--timeout", "300ms", "--url", silent.url]);
    expect(called).toMatchObject({ exit: 6, stdout: "", stderr: expect.stringContaining("within 300ms (--timeout)") });
  });

  test("CLI3 a wait for a paused run says why it is paused, and which verb continues it", async () => {
    const paused = sampleRecord("p", "paused", {
      error: { code: "NON_DETERMINISM", message: "entry 7 does not fit." },
    });
    api.answers.set("GET /api/runs/p", [200, paused]);
    const { stderr } = await on(["result", "p", "--timeout", "300ms"]);
    expect(stderr).toContain(
      "NON_DETERMINISM: entry 7 does not fit. To continue it, fix the cause: holdfast retry p\n",
    );
  });

  test("CLI3 a wait outlives an outage that is longer than the client repeats a request", async () => {
    let reads = 0;
    // The client gives up after four attempts.
    api.answers.set("GET /api/runs/w", () =>
      ++reads === 1
        ? [200, sampleRecord("w", "waiting")]
        : reads < 8
          ? [503, "down"]
          : [200, sampleRecord("w", "completed")],
    );
    const called = await on(["result", "w"]);
    expect(called).toMatchObject({ exit: 0, stdout: '{"parcel":"parcel-1"}\n' });
    expect(called.stderr.match(/The server does not answer/g)).toHaveLength(1);
  });

  test("CLI3 a wait outlives the page with which a proxy answers for a server that restarts", async () => {
    const page = sampleRecord("w", "waiting");
    const answers = [
      [200, page],
      [404, "<html>"],
      [200, "<html>"],
      [522, "<html>"],
    ] as const;
    let reads = 0;
    api.answers.set("GET /api/runs/w", () => answers[reads++] ?? [200, sampleRecord("w", "completed")]);
    expect(await on(["result", "w"])).toMatchObject({ exit: 0, stdout: '{"parcel":"parcel-1"}\n' });
  });

  test("CLI3 Ctrl-C ends a wait with 130, and sends nothing that could end the run", async () => {
    const interrupt = new AbortController();
    const called = on(["result", "waiting"], { signal: interrupt.signal });
    await expect.poll(() => api.seen.length).toBeGreaterThan(1);
    interrupt.abort(new (await import("../src/exit.ts")).Interrupted("interrupted"));
    expect(await called).toMatchObject({ exit: 130, stderr: expect.stringContaining("The run continues.") });
    expect(acts()).toEqual([]);
  });
});

test("CLI2 https:// to a server without TLS is said in words, without the internals of OpenSSL", async () => {
  const { exit, stderr } = await call(["list", "--url", api.url.replace("http:", "https:")]);
  expect([exit, stderr]).toEqual([6, expect.stringContaining("does not speak TLS. Is its URL http://")]);
  expect(stderr).not.toMatch(/SSL routines|\.c:/);
});

test("RUN2 a start without an id gets one that sorts by time, and a key stays a key", async () => {
  const body = async (...args: readonly string[]) => {
    api.seen.splice(0);
    await on(["start", "order", ...args], { now: Date.UTC(2026, 0, 31) });
    return acts()[0]?.body;
  };
  const [first, second] = [await body(), await body()] as readonly { readonly runId: string }[];
  expect(first).toEqual({ workflowId: "order", runId: expect.stringMatching(/^01KG8NJW00[0-9A-Z]{16}$/) });
  expect(second?.runId).not.toBe(first?.runId);
  expect(await body("--id", "mine")).toEqual({ workflowId: "order", runId: "mine" });
  expect(await body("--key", "k")).toEqual({ workflowId: "order", idempotencyKey: "k" });
});

describe("a workflow that collects triggers", () => {
  const collected = { id: "first", status: "pending", state: "debounced", startsAt: Date.UTC(2026, 0, 31), count: 2 };
  const refused = { error: "invalid_body", message: "runId: the workflow collects triggers." };

  test("WIN3 a start without an id and a key is repeated under a key, and says when the run starts", async () => {
    let starts = 0;
    api.answers.set("POST /api/runs", () => (starts++ === 0 ? [400, refused] : [202, collected]));
    const called = await on(["start", "reindex", "--output", "id"]);
    expect(called).toMatchObject({ exit: 0, stdout: "first\n" });
    expect(called.stderr).toContain("2 triggers so far. The run exists from its start, at 2026-01-31 00:00:00Z");
    expect(acts().map(({ body }) => body)).toEqual([
      { workflowId: "reindex", runId: expect.any(String) },
      { workflowId: "reindex", idempotencyKey: expect.any(String) },
    ]);
  });

  test("WIN3 an id of the user stays, and is refused", async () => {
    api.answers.set("POST /api/runs", [400, refused]);
    expect(await on(["start", "reindex", "--id", "mine"])).toMatchObject({ exit: 2 });
    expect(acts()).toHaveLength(1);
  });

  test("WIN1 start --wait waits for a run that does not exist yet", async () => {
    let reads = 0;
    api.answers.set("POST /api/runs", [202, collected]);
    api.answers.set("GET /api/runs/first", () =>
      reads++ === 0 ? [404, { error: "not_found", message: "none" }] : [200, sampleRecord("first", "completed")],
    );
    expect(await on(["start", "reindex", "--key", "k", "--wait", "--output", "id"])).toMatchObject({ exit: 0 });
    expect(reads).toBeGreaterThan(1);
  });
});

describe("input", () => {
  const sent = () => (acts()[0]?.body as { readonly input?: unknown } | undefined)?.input;

  test("CLI4 it is JSON in the command line, a file, or stdin", async () => {
    const cwd = emptyFolder();
    writeFileSync(join(cwd, "in.json"), '{ "from": "file" }');
    for (const [given, expected] of [
      ['{"a":1}', { a: 1 }],
      ["@in.json", { from: "file" }],
      ["-", { from: "stdin" }],
      ['"text"', "text"],
    ] as const) {
      api.seen.splice(0);
      expect((await on(["start", "order", "--input", given], { cwd, stdin: '{"from":"stdin"}' })).exit).toBe(0);
      expect(sent()).toEqual(expected);
    }
  });

  test("CLI4 input of several megabytes arrives whole", async () => {
    const large = "x".repeat(3_000_000);
    expect((await on(["start", "order", "--input", "-"], { stdin: JSON.stringify(large) })).exit).toBe(0);
    expect(sent()).toBe(large);
  });

  test.each([
    ["-", '{\n  "a": 1,\n  "b": nope\n}', 'stdin: not JSON at line 3, column 8: unexpected "n"'],
    ["@bad.json", "", 'bad.json: not JSON at line 2, column 1: unexpected "}"'],
    ["hello", "", `--input: not JSON at line 1, column 1: unexpected "h". Text needs quotes: '"like this"'.`],
    ['{"a":', "", "--input: not JSON at line 1, column 6: it ends too early"],
    ["-", "", "stdin: there is no JSON: it is empty"],
    ["@missing.json", "", "--input: missing.json cannot be read: ENOENT"],
  ])("CLI4 invalid input says where, and nothing is sent: %s", async (given, stdin, message) => {
    const cwd = emptyFolder();
    writeFileSync(join(cwd, "bad.json"), '{"a": [1, 2],\n}');
    const called = await on(["start", "order", "--input", given], { cwd, stdin });
    expect(called).toMatchObject({ exit: 2, stdout: "" });
    expect(called.stderr).toContain(message);
    expect(api.seen).toEqual([]);
  });
});

describe("acts on many runs", () => {
  test("CLI6 without a terminal, --where needs --yes or --dry-run, and nothing is sent", async () => {
    const called = await on(["cancel", "--where", "status:failed"]);
    expect(called).toMatchObject({ exit: 2, stdout: "", stderr: expect.stringContaining("add --yes") });
    expect(await on(["cancel", "--where", "status:failed", "--no-input"], { isTTY: true, columns: 80 })).toMatchObject({
      exit: 2,
    });
    expect(api.seen).toEqual([]);
  });

  test("CLI6 --dry-run shows the count and five examples, and changes nothing", async () => {
    const called = await on(["delete", "--where", "tag:vip", "--dry-run"], { columns: 80 });
    expect(called).toMatchObject({ exit: 0, stdout: "" });
    expect(called.stderr).toMatch(/^6 runs match tag:vip:\n(?: {2}\S+\n){5} {2}… and 1 more\nDry run: 6 runs/);
    expect((await on(["delete", "--where", "tag:vip", "--dry-run"])).stdout.trimEnd().split("\n")).toHaveLength(6);
    expect(acts()).toEqual([]);
  });

  test("CLI6 a bulk reports each refusal on its own line, acts on the others, and exits with 4", async () => {
    api.runs = [...RUNS.slice(0, 2), sampleRun("ended", "failed")];
    const called = await on(["cancel", "--where", "workflow:order", "--yes", "--output", "id"]);
    expect(called.exit).toBe(4);
    expect(called.stdout.trimEnd().split("\n").toSorted()).toEqual(["01JX0000000000000000000001", "order-2"]);
    expect(called.stderr).toContain("ended: run_terminal: The run has ended.\n3 runs: 2 done, 1 failed.\n");
    expect(api.seen[0]?.path).toContain("workflowId=order");
  });

  test("CLI6 ids come from the command line or from stdin, and each counts once", async () => {
    expect((await on(["retry", "a", "b", "a", "-o", "id"])).stdout).toBe("a\nb\n");
    expect((await on(["pause", "-", "-o", "id"], { stdin: "c d\ne\n\n" })).stdout).toBe("c d\ne\n");
    expect(acts().map(({ path }) => path)).toEqual([
      "/api/runs/a/retry",
      "/api/runs/b/retry",
      "/api/runs/c%20d/pause",
      "/api/runs/e/pause",
    ]);
    for (const args of [
      ["cancel"],
      ["cancel", "a", "--where", "tag:x"],
      ["cancel", "--where", " "],
      ["cancel", "a", "--rate", "fast"],
    ])
      expect(await on([...args, "--yes"])).toMatchObject({ exit: 2, stdout: "" });
  });

  test("CLI6 --rate spreads the requests", async () => {
    const startedAt = performance.now();
    expect((await on(["pause", "a", "b", "c", "--rate", "20/s"])).exit).toBe(0);
    expect(performance.now() - startedAt).toBeGreaterThan(95);
  });

  test("CLI6 without credentials the rest of a bulk is not tried", async () => {
    api.answers.set("POST /api/runs/a/pause", [401, { error: "unauthorized", message: "no" }]);
    const ids = Array.from({ length: 40 }, (_, index) => `r${index}`);
    const called = await on(["pause", "a", ...ids]);
    expect(called).toMatchObject({ exit: 5, stderr: expect.stringContaining("not tried") });
    expect(acts().length).toBeLessThan(20);
  });

  test("CLI6 signals and events go to ids or a filter, and a single run keeps its own exit code", async () => {
    api.runs = RUNS.slice(0, 2);
    await on(["signal", "approval", "--where", "tag:vip", "--yes", "--input", "1"]);
    await on(["event", "send", "a", "b", "paid", "--delivery-id", "d"]);
    expect(acts().map(({ path, body }) => [path.split("/").slice(3).join("/"), body])).toEqual([
      ["01JX0000000000000000000001/signals", { name: "approval", payload: 1, deliveryId: expect.any(String) }],
      ["order-2/signals", { name: "approval", payload: 1, deliveryId: expect.any(String) }],
      ["a/events", { eventType: "paid", deliveryId: "d" }],
      ["b/events", { eventType: "paid", deliveryId: "d" }],
    ]);
    expect(await on(["signal", "ended", "approval"])).toMatchObject({ exit: 4 });
    expect(await on(["signal", "none", "approval"])).toMatchObject({ exit: 3 });
    expect(await on(["signal", "approval"])).toMatchObject({ exit: 2 });
  });
});

describe("export", () => {
  test("CLI2 export --dir with the name of a file exits with 2, and says that it needs a folder", async () => {
    const cwd = emptyFolder();
    writeFileSync(join(cwd, "taken"), "");
    for (const dir of ["taken", "taken/below", ...(process.platform === "linux" ? ["/proc/taken/below"] : [])])
      expect(await on(["export", "done", "--dir", dir], { cwd }), dir).toMatchObject({
        exit: 2,
        stdout: "",
        stderr: expect.stringMatching(/--dir: .*taken.* cannot be used as a folder: E[A-Z]+\. Name another folder\./u),
      });
  });

  test("CLI1 what export writes, run by run or line by line, is read again", async () => {
    const cwd = emptyFolder();
    const files = await on(["export", "done", "a/b", "--dir", "out"], { cwd });
    expect(
      files.stdout
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line).file),
    ).toEqual([join(cwd, "out/done.json"), join(cwd, "out/a%2Fb.json")]);
    const line = (await on(["export", "done"])).stdout;
    writeFileSync(join(cwd, "array.json"), (await on(["export", "done", "--output", "json"])).stdout);
    expect((await call(["run", "@array.json", "--output", "id"], { cwd })).stdout).toBe("done\n");
    for (const other of ["null", "[]", "3", '{"format":"holdfast.run/1","journal":[]}']) {
      writeFileSync(join(cwd, "other.json"), other);
      for (const verb of ["run", "journal"])
        expect(await call([verb, "@other.json"], { cwd }), other).toMatchObject({
          exit: 2,
          stderr: expect.stringContaining("other.json"),
        });
    }
    mkdirSync(join(cwd, "lines"));
    writeFileSync(join(cwd, "lines/one.json"), line);
    const live = (await on(["journal", "done"])).stdout;
    for (const file of ["@out/a%2Fb.json", "@lines/one.json"])
      expect(await on(["journal", file], { cwd })).toMatchObject({ exit: 0, stdout: live });
    expect(JSON.parse((await on(["run", "@out/done.json"], { cwd })).stdout)).toMatchObject({
      id: "done",
      status: "completed",
    });
    writeFileSync(join(cwd, "other.json"), "{}");
    expect(await on(["journal", "@other.json"], { cwd })).toMatchObject({ exit: 2 });
  });
});
