/** tests: what the verbs print: tables at two widths, NDJSON in a pipe */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NOW, call } from "./call.ts";
import { type FakeApi, HOSTILE, JOURNAL, RUNS, sampleRecord, sampleRun, startFakeApi } from "./fake-api.ts";

let api: FakeApi;
beforeAll(async () => {
  api = await startFakeApi();
});
afterAll(() => api[Symbol.asyncDispose]());

const on = (args: readonly string[], world: Parameters<typeof call>[1] = {}) =>
  call([...args, "--url", api.url], world);

const PRINTING: readonly (readonly string[])[] = [
  ["list"],
  ["list", "--columns", "id,status,version,error"],
  ["run", "failed"],
  ["run", "waiting"],
  ["result", "done"],
  ["result", "failed"],
  ["count"],
  ["count", "--by", "status"],
  ["journal", "done"],
  ["workflows"],
  ["start", "order", "--input", "{}"],
  ["signal", "waiting", "approval"],
  ["event", "send", "waiting", "stock.changed"],
  ["token", "list", "waiting"],
  ["cancel", "a", "b"],
  ["cancel", "a", "ended", "none"],
  ["delete", "done"],
  ["pause", "waiting"],
  ["resume", "failed"],
  ["export", "done"],
  ["profile", "list"],
];

describe("output", () => {
  test.each(PRINTING.flatMap((args) => [80, 140].map((columns) => [args.join(" "), columns, args] as const)))(
    "CLI1 a terminal gets text for people: %s, %i columns",
    async (_name, columns, args) => {
      const { exit, stdout, stderr } = await on(args, { columns });
      const text = `exit ${exit}\n${stdout}--- stderr\n${stderr}`.replaceAll(api.url, "URL");
      expect(text).toMatchSnapshot();
      expect(Math.max(...stdout.split("\n").map(({ length }) => length))).toBeLessThanOrEqual(columns);
    },
  );

  test("CLI1 a pipe gets one object a line, in the shapes of the API", async () => {
    const { exit, stdout, stderr } = await on(["list"]);
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: "" });
    expect(
      stdout
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toEqual(RUNS.map((run) => JSON.parse(JSON.stringify(run))));
    expect(JSON.parse((await on(["run", "waiting"])).stdout)).toEqual(sampleRecord("waiting", "waiting"));
    const lines = (await on(["journal", "done"])).stdout.trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toEqual(JOURNAL);
    expect(JSON.parse((await on(["result", "done"])).stdout)).toEqual({ parcel: "parcel-1" });
  });

  test("CLI1 --output chooses the format, in a terminal and in a pipe", async () => {
    expect(JSON.parse((await on(["list", "-o", "json"], { columns: 80 })).stdout)).toHaveLength(RUNS.length);
    expect(JSON.parse((await on(["list", "status:cancelled", "-o", "json"])).stdout)).toEqual([]);
    const ids = (await on(["list", "--output", "id"], { columns: 80 })).stdout;
    expect(ids).toBe(RUNS.map(({ id }) => `${String(id)}\n`).join(""));
    expect((await on(["start", "order", "--output", "id"])).stdout).toBe("order-1\n");
    expect((await on(["list", "--output", "table"])).stdout).toMatch(/^ID +WORKFLOW +STATUS/);
    expect(await on(["list", "--output", "xml"])).toMatchObject({ exit: 2, stdout: "" });
  });

  test("CLI1 --columns asks for a table, names what there is, and does not mix with other formats", async () => {
    const { stdout } = await on(["list", "--columns", "STATUS, id", "--limit", "1"]);
    expect(stdout).toBe("STATUS     ID\n● running  01JX0000000000000000000001\n");
    const unknown = await on(["list", "--columns", "id,age"]);
    expect(unknown).toMatchObject({
      exit: 2,
      stdout: "",
      stderr: expect.stringContaining("The columns are: id, workflow,"),
    });
    expect(await on(["list", "--columns", "id", "-o", "json"])).toMatchObject({ exit: 2, stdout: "" });
  });

  test.each(["running", "retrying"])(
    "CLI5 a %s step of an ended run is not finished, and takes no time any more",
    async (status) => {
      const steps = [{ name: "reserve", occurrence: 0, status, attempts: 1, startedAt: NOW - 60_000, retryAt: NOW }];
      const ended = { steps, startedAt: NOW - 60_000, endedAt: NOW - 58_000 };
      api.answers.set("GET /api/runs/cut", [200, sampleRecord("cut", "cancelled", ended)]);
      const { stdout } = await on(["run", "cut"], { columns: 100 });
      expect(stdout).toMatch(/reserve +– not finished +1 +2\.0s/);
      expect(stdout).not.toContain(status);
    },
  );

  test("CLI5 a terminal that does not know its width gets whole lines", async () => {
    for (const args of [["list"], ["run", "done"]]) {
      const { stdout } = await on(args, { columns: 0 });
      expect(stdout).toBe((await on([...args, "--output", "table"])).stdout);
    }
    expect((await on(["--help"], { columns: 0 })).stdout).toBe((await on(["--help"], { columns: 80 })).stdout);
  });

  test("CLI7 text of runs never reaches a terminal raw", async () => {
    api.runs = [
      sampleRun(`r${HOSTILE}`, "failed", {
        workflowId: HOSTILE,
        tags: [HOSTILE],
        error: { message: HOSTILE, code: HOSTILE },
      }),
    ];
    api.answers.set("GET /api/runs/hostile", [
      200,
      sampleRecord("hostile", "failed", {
        error: { message: HOSTILE, step: HOSTILE },
        input: HOSTILE,
        metadata: { [HOSTILE]: 1 },
      }),
    ]);
    api.answers.set("POST /api/runs/hostile/cancel", [409, { error: "run_terminal", message: HOSTILE }]);
    for (const args of [
      ["list"],
      ["run", "hostile"],
      ["result", "hostile"],
      ["cancel", "hostile"],
      ["cancel", "hostile", "a"],
    ]) {
      for (const format of ["table", "ndjson", "json", "id"]) {
        const { stdout, stderr } = await on([...args, "-o", format], { columns: 140 });
        expect(stdout + stderr, args.join(" ")).not.toMatch(/[^\P{C}\n]/u);
      }
    }
    const { stdout } = await on(["list"]);
    expect(JSON.parse(stdout)).toMatchObject({ id: `r${HOSTILE}`, tags: [HOSTILE] });
    expect(stdout.split("\n")).toHaveLength(2);
    api.runs = RUNS;
  });

  test("CLI5 colours: a terminal has them, NO_COLOR and --no-color remove them, FORCE_COLOR gives them to a pipe", async () => {
    const coloured = /\p{Cc}\[/u;
    expect((await on(["list"], { columns: 80, env: { NO_COLOR: "" } })).stdout).toMatch(coloured);
    expect((await on(["list"], { columns: 80, env: { NO_COLOR: "1" } })).stdout).not.toMatch(coloured);
    expect(
      (await on(["list", "--no-color"], { columns: 80, env: { NO_COLOR: "", FORCE_COLOR: "1" } })).stdout,
    ).not.toMatch(coloured);
    expect((await on(["list", "-o", "table"], { env: { NO_COLOR: "" } })).stdout).not.toMatch(coloured);
    expect((await on(["list", "-o", "table"], { env: { NO_COLOR: "", FORCE_COLOR: "1" } })).stdout).toMatch(coloured);
  });

  test("CLI1 a table shows the first runs and says that there are more; other formats have all", async () => {
    api.runs = Array.from({ length: 230 }, (_, index) => sampleRun(`run-${index}`, "completed"));
    const table = await on(["list"], { columns: 80 });
    expect(table.stdout.trimEnd().split("\n")).toHaveLength(51);
    expect(table.stderr).toContain("--all");
    expect((await on(["list", "--all"], { columns: 80 })).stdout.trimEnd().split("\n")).toHaveLength(231);
    expect((await on(["list"])).stdout.trimEnd().split("\n")).toHaveLength(230);
    expect((await on(["list", "--limit", "201"])).stdout.trimEnd().split("\n")).toHaveLength(201);
    expect(JSON.parse((await on(["count"])).stdout)).toEqual({ count: 230 });
    api.runs = RUNS;
  });
});
