/** tests: the command in a terminal emulator, tmux, as a person sees it. Skipped where tmux is not installed. */
import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { emptyFolder } from "./call.ts";
import { type FakeApi, HOSTILE, RUNS, sampleRecord, sampleRun, startFakeApi } from "./fake-api.ts";

const MAIN = join(import.meta.dirname, "../src/bin.ts");
const HAS_TMUX = spawnSync("tmux", ["-V"]).status === 0;
const WAIT = { timeout: 30_000, interval: 100 };

let api: FakeApi;
beforeAll(async () => {
  api = await startFakeApi();
});
afterAll(() => api[Symbol.asyncDispose]());

/** A terminal with a shell in which `holdfast` is the command. */
class Terminal {
  readonly #socket = `holdfast-${randomUUID()}`;

  constructor(columns: number) {
    const script = `holdfast() { "${process.execPath}" "${MAIN}" "$@"; }; export -f holdfast; PS1='$ ' exec bash --norc --noprofile`;
    const env = {
      PATH: process.env["PATH"],
      NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"],
      HOME: emptyFolder(),
      HOLDFAST_URL: api.url,
      LANG: "C.UTF-8",
      LC_ALL: "C.UTF-8",
    };
    const args = ["-f", "/dev/null", "new-session", "-d", "-x", String(columns), "-y", "40", "bash", "-c", script];
    expect(spawnSync("tmux", ["-L", this.#socket, ...args], { env, encoding: "utf8" }).stderr).toBe("");
    onTestFinished(() => void this.#tmux("kill-server"));
  }

  #tmux(...args: readonly string[]): string {
    return spawnSync("tmux", ["-L", this.#socket, ...args], { encoding: "utf8" }).stdout;
  }

  type(...keys: readonly string[]): void {
    this.#tmux("send-keys", ...keys);
  }

  /** Empties the screen: what a test then waits for is new. */
  async clear(): Promise<void> {
    this.type("clear", "Enter");
    await expect.poll(() => this.screen(), WAIT).toBe("$");
  }

  /** The lines on the screen, with or without colours. */
  screen(...options: readonly string[]): string {
    return this.#tmux("capture-pane", "-p", ...options).trimEnd();
  }
}

describe.skipIf(!HAS_TMUX)("in a terminal emulator (tmux)", () => {
  test.each([80, 140])(
    "CLI5 CLI7 a list is a table that fits %i columns, in colours, and hostile text changes nothing",
    async (columns) => {
      api.runs = [...RUNS, sampleRun("last", "failed", { tags: [HOSTILE], error: { message: HOSTILE } })];
      const terminal = new Terminal(columns);
      terminal.type("holdfast list; echo exit $?", "Enter");
      await expect.poll(() => terminal.screen(), WAIT).toContain("exit 0");
      const lines = terminal.screen().split("\n");
      const head = lines.findIndex((line) => line.startsWith("ID "));
      expect(lines.slice(head, head + 9).map((line) => line.split(/ {2,}/)[0])).toEqual([
        "ID",
        ...api.runs.map(({ id }) => id),
        "exit 0",
      ]);
      expect(terminal.screen("-e")).toMatch(/\p{Cc}\[31m✗ failed/u);
      api.runs = RUNS;
    },
  );

  test("CLI6 an act on a filter shows the count and five examples, and asks", async () => {
    const terminal = new Terminal(80);
    api.seen.splice(0);
    terminal.type("holdfast cancel --where tag:vip; echo exit $?", "Enter");
    await expect.poll(() => terminal.screen(), WAIT).toContain("Cancel 6 runs?");
    expect(terminal.screen()).toMatch(/6 runs match tag:vip:\n(?: {2}\S+\n){5} {2}… and 1 more/);
    terminal.type("Enter");
    await expect.poll(() => terminal.screen(), WAIT).toContain("exit 2");
    expect(terminal.screen()).toContain("Nothing was done.");
    expect(api.seen.every(({ method }) => method === "GET")).toBe(true);
    await terminal.clear();
    terminal.type("holdfast cancel --where tag:vip; echo exit $?", "Enter");
    await expect.poll(() => terminal.screen(), WAIT).toContain("Cancel 6 runs?");
    terminal.type("y");
    await expect.poll(() => terminal.screen(), WAIT).toContain("exit 0");
    expect(terminal.screen()).toContain("6 runs: 6 done.");
    expect(api.seen.filter(({ method }) => method === "POST")).toHaveLength(6);
  });

  test.each([
    ["holdfast cancel --where tag:vip", "Cancel 6 runs?"],
    ["holdfast login", "Token:"],
  ])("CLI2 CLI6 Ctrl-D at the question of %s ends it as Ctrl-C does", async (command, question) => {
    api.seen.splice(0);
    const terminal = new Terminal(80);
    terminal.type(`${command}; echo exit $?`, "Enter");
    await expect.poll(() => terminal.screen(), WAIT).toContain(question);
    terminal.type("C-d");
    await expect.poll(() => terminal.screen(), WAIT).toMatch(/exit (?:130|2)$/m);
    expect(terminal.screen()).not.toContain("Warning");
    expect(api.seen.every(({ method }) => method === "GET")).toBe(true);
  });

  test("CLI11 an answer is asked about, with the question and the answer", async () => {
    const ask = { title: "Publish?", choices: [{ label: "Yes", value: { ok: true } }], risk: "high" };
    const wait = { id: "token/0/token", kind: "MANUAL", meta: { tokenId: "tok-1", openedAt: 1, ask } };
    api.answers.set("GET /api/runs/r", [200, sampleRecord("r", "waiting", { pendingWaitpoints: [wait] })]);
    const terminal = new Terminal(80);
    api.seen.splice(0);
    terminal.type("holdfast approval answer r --choice Yes; echo exit $?", "Enter");
    await expect.poll(() => terminal.screen(), WAIT).toContain("Answer r?");
    expect(terminal.screen()).toContain('Publish? (risk: high)\nAnswer: {"ok":true}\n');
    terminal.type("Enter");
    await expect.poll(() => terminal.screen(), WAIT).toContain("exit 2");
    expect(terminal.screen()).toContain("Nothing was answered.");
    expect(api.seen.every(({ method }) => method === "GET")).toBe(true);
    await terminal.clear();
    terminal.type("holdfast approval answer r --choice Yes; echo exit $?", "Enter");
    await expect.poll(() => terminal.screen(), WAIT).toContain("Answer r?");
    terminal.type("y");
    await expect.poll(() => terminal.screen(), WAIT).toContain("exit 0");
    expect(api.seen.at(-1)).toMatchObject({ path: "/api/runs/r/tokens/tok-1", body: { payload: { ok: true } } });
  });

  test("CLI3 CLI5 a wait shows its progress on one line, and Ctrl-C removes it and ends with 130", async () => {
    const terminal = new Terminal(80);
    terminal.type("holdfast result waiting; echo exit $?", "Enter");
    await expect.poll(() => terminal.screen(), WAIT).toMatch(/Waiting for waiting, [2-9] s\. Ctrl-C stops waiting/);
    expect(terminal.screen().match(/Waiting for/g)).toHaveLength(1);
    terminal.type("C-c");
    await expect.poll(() => terminal.screen(), WAIT).toContain("exit 130");
    expect(terminal.screen()).not.toContain("Waiting for");
    expect(terminal.screen()).toContain("The run continues. To wait again: holdfast result waiting");
  });

  test("CLI8 a destructive act on a protected profile asks for its name", async () => {
    const terminal = new Terminal(80);
    terminal.type(
      `holdfast login prod --protected --no-check --token-command "echo t" --url ${api.url}; clear`,
      "Enter",
    );
    terminal.type("holdfast cancel a; echo exit $?", "Enter");
    await expect.poll(() => terminal.screen(), WAIT).toContain("Type its name to cancel 1 run:");
    expect(terminal.screen()).toContain(`Profile: prod (${api.url})`);
    terminal.type("yes", "Enter");
    await expect.poll(() => terminal.screen(), WAIT).toContain("exit 2");
    await terminal.clear();
    terminal.type("holdfast cancel a; echo exit $?", "Enter");
    await expect.poll(() => terminal.screen(), WAIT).toMatch(/Type its name to cancel 1 run:/);
    terminal.type("prod", "Enter");
    await expect.poll(() => terminal.screen(), WAIT).toContain("exit 0");
    expect(api.seen.filter(({ path }) => path === "/api/runs/a/cancel")).toHaveLength(1);
  });

  test("CLI8 a token is typed without being shown", async () => {
    const terminal = new Terminal(80);
    terminal.type(`holdfast login --url ${api.url}; echo exit $?`, "Enter");
    await expect.poll(() => terminal.screen(), WAIT).toContain("Token:");
    terminal.type("s3cret-t0ken", "Enter");
    await expect.poll(() => terminal.screen(), WAIT).toContain("exit 0");
    expect(terminal.screen()).not.toContain("s3cret");
    expect(api.seen.at(-1)?.authorization).toBe("Bearer s3cret-t0ken");
  });
});
