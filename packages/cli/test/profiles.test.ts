/** tests: profiles, tokens and the server of holdfast dev */
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { call, emptyFolder } from "./call.ts";
import { type FakeApi, startFakeApi } from "./fake-api.ts";

const SECRET = "s3cret-t0ken-that-nobody-may-see";

let api: FakeApi;
let home: string;
beforeEach(async () => {
  api = await startFakeApi();
  home = emptyFolder();
});
afterEach(() => api[Symbol.asyncDispose]());

const file = () => join(home, ".config/holdfast/config.json");
const stored = () => JSON.parse(readFileSync(file(), "utf8"));
const tokens = () => [...new Set(api.seen.map(({ authorization }) => authorization))];

function store(profiles: object, current?: string): void {
  mkdirSync(join(home, ".config/holdfast"), { recursive: true });
  writeFileSync(file(), JSON.stringify({ current, profiles }), { mode: 0o600 });
}

describe("login", () => {
  test("CLI8 stores URL and token for its user alone, and verbs use them", async () => {
    const login = await call(["login", "prod", "--url", `${api.url}/`], { home, stdin: `${SECRET}\n` });
    expect(login).toMatchObject({ exit: 0, stdout: "" });
    expect(stored()).toEqual({ current: "prod", profiles: { prod: { url: api.url, token: SECRET } } });
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(home, ".config/holdfast"))).toEqual(["config.json"]);
    expect((await call(["list"], { home })).exit).toBe(0);
    expect(tokens()).toEqual([`Bearer ${SECRET}`]);
    expect(login.stderr).not.toContain(SECRET);
  });

  test("CLI8 --profile names the profile, and a symbolic link stays one", async () => {
    mkdirSync(join(home, ".config/holdfast"), { recursive: true });
    writeFileSync(join(home, "dotfile.json"), '{"profiles":{}}', { mode: 0o600 });
    symlinkSync(join(home, "dotfile.json"), file());
    const url = ` ${api.url}/ `;
    await call(["login", "--profile", "prod", "--url", url], { home, stdin: SECRET, env: { HOLDFAST_URL: "" } });
    expect(lstatSync(file()).isSymbolicLink()).toBe(true);
    expect(stored()).toEqual({ current: "prod", profiles: { prod: { url: api.url, token: SECRET } } });
    expect(await call(["login"], { home, stdin: SECRET, env: { HOLDFAST_URL: "" } })).toMatchObject({
      exit: 2,
      stderr: expect.stringContaining("Give the URL of the API"),
    });
  });

  test.each(["?x=1", "/#/runs", "/?"])(
    "CLI8 a URL with %s, to which no path can be added, is refused",
    async (rest) => {
      expect(await call(["list", "--url", api.url + rest], { home })).toMatchObject({
        exit: 2,
        stderr: expect.stringContaining("--url must not have a query"),
      });
      expect(api.seen).toEqual([]);
    },
  );

  test("CLI8 a rejected token is not stored", async () => {
    api.answers.set("GET /api/workflows", [401, { error: "unauthorized", message: "no" }]);
    expect(await call(["login", "--url", api.url], { home, stdin: SECRET })).toMatchObject({ exit: 5 });
    expect(() => stored()).toThrow("ENOENT");
    expect(await call(["login", "--url", api.url], { home, stdin: "two words" })).toMatchObject({ exit: 2 });
    expect(await call(["login"], { home, stdin: SECRET })).toMatchObject({ exit: 2 });
    expect(await call(["login", "../x", "--url", api.url], { home, stdin: SECRET })).toMatchObject({ exit: 2 });
    expect(await call(["login", "--url", "http://user:pass@host"], { home, stdin: SECRET })).toMatchObject({
      exit: 2,
      stderr: expect.not.stringContaining("pass@"),
    });
  });

  test("CLI2 CLI8 the error of a rejected token says where the token came from, and of none that there was none", async () => {
    api.answers.set("GET /api/runs", [401, { error: "unauthorized", message: "no" }]);
    api.answers.set("GET /api/workflows", [401, { error: "unauthorized", message: "no" }]);
    const said = async (args: readonly string[], env = {}) => {
      const { stderr, stdout } = await call([...args, "--url", api.url], { home, env, stdin: SECRET });
      return stderr + stdout;
    };
    const wrong = { HOLDFAST_TOKEN: "wrong-token" };
    for (const verb of ["list", "doctor"]) {
      expect(await said([verb])).toContain("No token was sent. Run holdfast login");
      expect(await said([verb], wrong)).toContain(
        "rejects the token from HOLDFAST_TOKEN. Correct this variable, or unset it",
      );
    }
    expect(await said(["login"])).toContain("rejects the token from stdin");
    expect(await said(["login", "--token-command", "echo t"])).toContain("rejects the token from --token-command");
  });

  test("CLI8 a token command is executed without a shell, when a token is needed", async () => {
    const command = `printf %s '${SECRET}'`;
    await call(["login", "--url", api.url, "--token-command", command], { home });
    expect(stored().profiles.default).toEqual({ url: api.url, tokenCommand: command });
    await call(["list"], { home });
    expect(tokens()).toEqual([`Bearer ${SECRET}`]);
    for (const [bad, message] of [
      ["false", '"false" exited with 1'],
      ["no-such-command-here", "cannot be started: ENOENT"],
      [`echo ${SECRET} two`, "one word"],
    ]) {
      store({ p: { url: api.url, tokenCommand: bad } }, "p");
      const called = await call(["list"], { home });
      expect(called.stderr).toContain(message);
      expect(called).toMatchObject({ exit: 2, stderr: expect.not.stringContaining(SECRET) });
    }
  });

  test("CLI8 XDG_CONFIG_HOME moves the file", async () => {
    const config = emptyFolder();
    await call(["login", "--url", api.url, "--no-check"], { home, stdin: SECRET, env: { XDG_CONFIG_HOME: config } });
    expect(readdirSync(join(config, "holdfast"))).toEqual(["config.json"]);
    expect(readdirSync(home)).toEqual([]);
  });
});

describe("profiles", () => {
  test("CLI8 a file that others can read is closed to them, with a warning", async () => {
    store({ p: { url: api.url, token: SECRET } }, "p");
    chmodSync(file(), 0o644);
    expect((await call(["list"], { home })).stderr).toContain("Warning: Other users could read");
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    expect((await call(["list"], { home })).stderr).toBe("");
  });

  test.each([
    ["not JSON", `{"token": "${SECRET}"`],
    ["another shape", `["${SECRET}"]`],
    ["an unknown field", JSON.stringify({ profiles: { p: { url: "https://a", tokn: SECRET } } })],
    ["a URL that is none", JSON.stringify({ profiles: { p: { url: SECRET } } })],
  ])("CLI8 a file with %s is an error that does not quote it", async (_what, text) => {
    store({});
    writeFileSync(file(), text);
    const called = await call(["list"], { home });
    expect(called).toMatchObject({ exit: 2, stderr: expect.not.stringContaining(SECRET) });
    expect(called.stderr).toContain(file());
  });

  test("CLI8 the order of the sources: --url, HOLDFAST_URL, the named profile, the current one", async () => {
    store({ a: { url: "http://127.0.0.1:1", token: "a" }, b: { url: api.url, token: "b" } }, "a");
    const show = async (args: readonly string[], env: Record<string, string> = {}) =>
      JSON.parse((await call(["profile", "show", ...args], { home, env })).stdout);
    expect(await show([])).toEqual({
      url: "http://127.0.0.1:1",
      from: "the profile a",
      profile: "a",
      token: "the profile a",
      protected: false,
    });
    expect(await show(["--profile", "b"], { HOLDFAST_PROFILE: "a" })).toMatchObject({ url: api.url, profile: "b" });
    expect(await show([], { HOLDFAST_PROFILE: "b" })).toMatchObject({ profile: "b" });
    expect(await show([], { HOLDFAST_URL: "https://x.example", HOLDFAST_PROFILE: "b" })).toMatchObject({
      url: "https://x.example",
      token: null,
    });
    expect(await show(["--url", api.url], { HOLDFAST_URL: "https://x.example" })).toMatchObject({
      url: api.url,
      profile: "b",
    });
    expect(await show([], { HOLDFAST_TOKEN: "t" })).toMatchObject({ token: "HOLDFAST_TOKEN" });
    expect(await call(["list", "--profile", "c"], { home })).toMatchObject({
      exit: 2,
      stderr: expect.stringContaining("There are: a, b."),
    });
  });

  test("CLI8 a stored token is not sent to another server", async () => {
    store({ p: { url: "https://p.example", token: SECRET } }, "p");
    await call(["list", "--profile", "p"], { home, env: { HOLDFAST_URL: api.url } });
    await call(["list"], { home, env: { HOLDFAST_URL: api.url } });
    expect(tokens()).toEqual([undefined]);
    await call(["list", "--url", api.url], { home, env: { HOLDFAST_TOKEN: "given" } });
    expect(tokens()).toEqual([undefined, "Bearer given"]);
  });

  test("CLI8 a token that no header can have is refused without being shown, and white space at its ends is no part of it", async () => {
    const bad = await call(["list", "--url", api.url], { home, env: { HOLDFAST_TOKEN: `${SECRET}\nX: y` } });
    expect(bad).toMatchObject({ exit: 2, stderr: expect.not.stringContaining(SECRET) });
    expect(bad.stderr).toContain("The token from HOLDFAST_TOKEN");
    await call(["list", "--url", api.url], { home, env: { HOLDFAST_TOKEN: `${SECRET}\n` } });
    expect(tokens()).toEqual([`Bearer ${SECRET}`]);
  });

  test("CLI8 no verb prints a token", async () => {
    store({ p: { url: api.url, token: SECRET, protected: true } }, "p");
    for (const args of [
      ["list"],
      ["profile", "list"],
      ["profile", "show"],
      ["profile", "show", "p"],
      ["run", "none"],
      ["cancel", "a"],
      ["profile", "use", "p"],
    ]) {
      const { stdout, stderr } = await call([...args, "-o", "json"], { home });
      expect(stdout + stderr, args.join(" ")).not.toContain(SECRET);
    }
  });

  test("CLI8 use and remove change the file, and an unknown profile is not found", async () => {
    store({ a: { url: api.url }, b: { url: api.url } }, "a");
    expect((await call(["profile", "use", "b"], { home })).exit).toBe(0);
    expect((await call(["profile", "remove", "b"], { home })).exit).toBe(0);
    expect(stored()).toEqual({ profiles: { a: { url: api.url } } });
    for (const args of [
      ["use", "x"],
      ["remove", "x"],
      ["show", "x"],
    ])
      expect(await call(["profile", ...args], { home })).toMatchObject({ exit: 3, stdout: "" });
  });

  test("CLI8 a protected profile needs its name before anything is lost, and --yes does not replace it", async () => {
    store({ prod: { url: api.url, token: "t", protected: true } }, "prod");
    for (const args of [
      ["cancel", "a", "--yes"],
      ["delete", "--where", "tag:x", "--yes"],
      ["terminate", "a", "--reason", "x", "--confirm", "dev"],
    ])
      expect(await call(args, { home })).toMatchObject({ exit: 2, stdout: "" });
    expect(api.seen).toEqual([]);
    const agreed = await call(["cancel", "a", "--confirm", "prod"], { home });
    expect(agreed).toMatchObject({ exit: 0, stderr: expect.stringContaining("Profile: prod (") });
    expect((await call(["pause", "a"], { home })).exit).toBe(0);
    // Also if the same deployment is named by its URL.
    expect(await call(["cancel", "a", "--url", api.url], { home })).toMatchObject({ exit: 2 });
  });

  test("CLI8 a token over plain HTTP to another machine is warned about", async () => {
    const warned = async (url: string): Promise<boolean> =>
      (await call(["profile", "show", "--url", url], { home, env: { HOLDFAST_TOKEN: "t" } })).stderr.includes(
        "without TLS",
      );
    expect(await warned("http://flows.example")).toBe(true);
    expect(await warned("http://10.0.0.1:8787")).toBe(true);
    for (const url of ["https://flows.example", "http://localhost:1", "http://127.0.0.1:1", "http://[::1]:1"])
      expect(await warned(url)).toBe(false);
  });
});

describe("the server of holdfast dev", () => {
  test("CLI8 it is used in its folder and below, with its token, and stderr says so", async () => {
    mkdirSync(join(home, "app/.holdfast"), { recursive: true });
    mkdirSync(join(home, "app/src"));
    const write = (more: object): void =>
      writeFileSync(
        join(home, "app/.holdfast/dev.json"),
        JSON.stringify({ url: api.url, token: SECRET, pid: process.pid, ...more }),
      );
    write({});
    const called = await call(["list"], { home, cwd: join(home, "app/src") });
    expect(called).toMatchObject({
      exit: 0,
      stderr: expect.stringContaining(`Using the server of holdfast dev at ${api.url}`),
    });
    expect(tokens()).toEqual([`Bearer ${SECRET}`]);
    const show = async (cwd: string, env: Record<string, string> = {}) =>
      JSON.parse((await call(["profile", "show"], { home, cwd, env })).stdout).url;
    expect(await show(home)).toBe("http://127.0.0.1:8787");
    expect(await show(join(home, "app"), { HOLDFAST_URL: "https://x.example" })).toBe("https://x.example");
    write({ pid: 2 ** 22 + 1 });
    expect(await show(join(home, "app"))).toBe("http://127.0.0.1:8787");
  });

  test("CLI8 a verb waits for the address of a server that has locked the folder and starts", async () => {
    const folder = join(home, "app/.holdfast");
    mkdirSync(folder, { recursive: true });
    const write = (name: string, content: object): void => writeFileSync(join(folder, name), JSON.stringify(content));
    write("dev.json", { token: SECRET });
    write("lock", { pid: process.pid, started: "" });
    const shown = call(["profile", "show"], { home, cwd: join(home, "app") });
    setImmediate(() => write("dev.json", { url: api.url, token: SECRET, pid: process.pid }));
    expect(JSON.parse((await shown).stdout).url).toBe(api.url);
    // The lock of a process that has ended is no server that starts.
    write("dev.json", { token: SECRET });
    write("lock", { pid: 2 ** 22 + 1, started: "" });
    const other = await call(["profile", "show"], { home, cwd: join(home, "app") });
    expect(JSON.parse(other.stdout).url).toBe("http://127.0.0.1:8787");
  });
});
