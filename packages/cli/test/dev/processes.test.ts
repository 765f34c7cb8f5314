/** tests: the processes of the server: each way to end them, what starts again, and that nothing is left */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { expect, test } from "vitest";
import { identify } from "../../src/local/process-identity.ts";
import { type Dev, MAIN, type Project, isAlive, makeProject, orderCode, until } from "./dev-process.ts";

/** A run that sleeps, and one whose step takes a while. */
const LONG = `import { workflow } from "@holdfast/workflows";

export const nap = workflow({ id: "nap", run: async (_input, ctx) => (await ctx.sleep("1500ms"), "awake") });
export const slow = workflow({
  id: "slow",
  run: (_input, ctx) =>
    ctx.step("work", async () => {
      console.log("works");
      await new Promise((resolve) => setTimeout(resolve, 700));
      return "worked";
    }),
});
`;

async function completed(dev: Dev, ...ids: readonly string[]): Promise<void> {
  await until(async () =>
    (await Promise.all(ids.map((id) => dev.run(id)))).every(({ status }) => status === "completed"),
  );
}

function projectWithOrder(): Project {
  return makeProject({ "src/workflows.ts": orderCode() });
}

test("DEV2 a workerd that is killed starts again with its reason, and the runs that it executed continue", async () => {
  const dev = await makeProject({ "src/workflows.ts": LONG }).start();
  await dev.begin("n1", "nap");
  await dev.begin("s1", "slow");
  await dev.prints("s1  works");
  const { workerd } = dev;
  process.kill(workerd, "SIGKILL");
  await dev.says("workerd ended by itself (SIGKILL); it starts again now.");
  await dev.says("workerd serves again.");
  expect(dev.workerd).not.toBe(workerd);
  await completed(dev, "n1", "s1");
  expect(dev.out.split("s1  works")).toHaveLength(3);
});

test("DEV2 a server that is killed takes workerd with it, and the next start continues its runs", async () => {
  const project = makeProject({ "src/workflows.ts": LONG });
  const first = await project.start();
  await first.begin("n1", "nap");
  await first.begin("s1", "slow");
  await first.prints("s1  works");
  const { workerd } = first;
  const { token } = first.server;
  first.child.kill("SIGKILL");
  await first.exit();
  await until(() => !isAlive(workerd));
  const second = await project.start();
  expect(second.server).toMatchObject({ token, pid: second.child.pid });
  await completed(second, "n1", "s1");
});

test("DEV2 a start after a kill ends a workerd that was left", async () => {
  const project = projectWithOrder();
  const first = await project.start();
  const { workerd } = first;
  const lock = readFileSync(join(project.folder, ".holdfast/lock"), "utf8");
  first.child.kill("SIGTERM");
  expect(await first.exit()).toBe(0);
  expect(isAlive(workerd)).toBe(false);
  // In place of a workerd whose server and whose guard were both killed.
  const left = spawn("sleep", ["60"]);
  await once(left, "spawn");
  const gone = once(left, "exit");
  const known = { ...(JSON.parse(lock) as object), workerd: identify(left.pid ?? 0) };
  writeFileSync(join(project.folder, ".holdfast/lock"), JSON.stringify(known));
  await project.start();
  expect(await gone).toEqual([null, "SIGKILL"]);
});

test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
  "DEV2 %s ends workerd in order, then the server, and leaves no lock",
  async (signal) => {
    const project = projectWithOrder();
    const dev = await project.start();
    const { workerd } = dev;
    dev.child.kill(signal);
    expect(await dev.exit()).toBe(0);
    expect(isAlive(workerd)).toBe(false);
    expect(existsSync(join(project.folder, ".holdfast/lock"))).toBe(false);
  },
);

test("DEV2 a second Ctrl-C ends both at once, also while a request keeps workerd from ending", async () => {
  const project = makeProject({ "src/workflows.ts": LONG.replace("700", "60_000") });
  const dev = await project.start();
  const { workerd } = dev;
  await dev.begin("s1", "slow");
  // A follower reads for as long as the run lives.
  const followed = await dev.ask("/api/runs/s1/stream");
  dev.child.kill("SIGINT");
  await dev.says("Stopping.");
  dev.child.kill("SIGINT");
  expect(await dev.exit()).toBe(130);
  await until(() => !isAlive(workerd));
  await followed.body?.cancel().catch(() => {});
});

test("DEV2 one Ctrl-C ends both in order, also while a request keeps workerd from ending for seconds", async () => {
  const project = makeProject({ "src/workflows.ts": LONG.replace("700", "60_000") });
  const dev = await project.start();
  await dev.begin("s1", "slow");
  const followed = await dev.ask("/api/runs/s1/stream");
  dev.child.kill("SIGINT");
  expect(await dev.exit()).toBe(0);
  expect(existsSync(join(project.folder, ".holdfast/lock"))).toBe(false);
  await followed.body?.cancel().catch(() => {});
});

test("DEV2 a server ends when the package manager that started it is killed", async () => {
  const project = projectWithOrder();
  // A shell that starts a second command does not become it, and passes no signal on.
  const command = `"${process.execPath}" "${MAIN}" dev 2>err & echo $! >pid; wait`;
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const env = { PATH, NODE_COMPILE_CACHE, HOME: project.folder, npm_command: "exec" };
  const shell = spawn("/bin/sh", ["-c", command], { cwd: project.folder, env, stdio: "ignore" });
  const read = (name: string): string =>
    existsSync(join(project.folder, name)) ? readFileSync(join(project.folder, name), "utf8") : "";
  await until(() => read("err").includes("Ready."));
  const server = Number(read("pid"));
  shell.kill("SIGKILL");
  await until(() => !isAlive(server));
  expect(existsSync(join(project.folder, ".holdfast/lock"))).toBe(false);
});

test("DEV1 a second server on one data folder exits with 2 and names the process that has it", async () => {
  const project = projectWithOrder();
  const dev = await project.start();
  const second = project.launch();
  expect(await second.exit()).toBe(2);
  expect(second.err).toBe(
    `Error: Another holdfast dev (pid ${dev.child.pid}) uses .holdfast. Stop it, or give another folder: --data <folder>\n`,
  );
});

test("DEV1 two servers in different folders have different ports, tokens and runs", async () => {
  const [one, two] = await Promise.all([projectWithOrder().start(), projectWithOrder().start()]);
  expect(one.server.url).not.toBe(two.server.url);
  expect(one.server.token).not.toBe(two.server.token);
  await one.begin("o1");
  await two.begin("o1");
  await one.signal("o1");
  await completed(one, "o1");
  expect((await two.run("o1")).status).not.toBe("completed");
});

test("DEV1 a port that is given and in use is refused with the process that has it", async () => {
  const holder = createServer();
  await once(holder.listen(0, "127.0.0.1"), "listening");
  const { port } = holder.address() as AddressInfo;
  const dev = projectWithOrder().launch(["--port", String(port)]);
  expect(await dev.exit()).toBe(2);
  expect(dev.err).toMatch(
    new RegExp(`^Error: Port ${port} is in use, by ".*" \\(pid ${process.pid}\\)[.] Give another .*\n$`),
  );
  holder.close();
});

test("DEV5 only this user can read the data folder, and the server serves no other address and no request without the token", async () => {
  const project = projectWithOrder();
  const dev = await project.start();
  const modeOf = (name: string) => statSync(join(project.folder, ".holdfast", name)).mode & 0o777;
  expect([modeOf("."), modeOf("dev.json")]).toEqual([0o700, 0o600]);
  expect(readFileSync(join(project.folder, ".holdfast/.gitignore"), "utf8")).toBe("*\n");
  const { url } = dev.server;
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  expect((await fetch(`${url}/api/workflows`)).status).toBe(401);
  const headers = { Origin: "http://evil.example", Authorization: `Bearer ${dev.server.token}` };
  expect((await fetch(`${url}/api/runs`, { method: "POST", headers })).status).toBe(403);
});

test("DEV5 --reset removes the runs of a folder that holdfast dev made, after a question, and touches no other folder", async () => {
  const project = projectWithOrder();
  const first = await project.start();
  await first.begin("o1");
  first.child.kill("SIGTERM");
  await first.exit();
  const asked = project.launch(["--reset"]);
  expect(await asked.exit()).toBe(2);
  expect(asked.err).toContain("--reset --yes");
  const again = await project.start();
  expect((await again.ask("/api/runs/o1")).status).toBe(200);
  again.child.kill("SIGTERM");
  await again.exit();
  const reset = await project.start("--reset", "--yes");
  expect((await reset.ask("/api/runs/o1")).status).toBe(404);

  mkdirSync(join(project.folder, "mine"));
  writeFileSync(join(project.folder, "mine/file"), "text");
  const refused = project.launch(["--data", "mine", "--reset", "--yes"]);
  expect(await refused.exit()).toBe(2);
  expect(refused.err).toContain("mine has files and was not made by holdfast dev.");
  expect(readFileSync(join(project.folder, "mine/file"), "utf8")).toBe("text");
});
