/** tests: the data folder and esbuild are taken away from the server, or cannot be used */
import { spawnSync } from "node:child_process";
import { renameSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { DataFolder } from "../../src/dev/data-folder.ts";
import { UsageError } from "../../src/exit.ts";
import { makeProject, orderCode, until } from "./dev-process.ts";

function projectWithOrder() {
  return makeProject({ "src/workflows.ts": orderCode() });
}

test.each(["removed", "moved"])("DEV1 a server whose data folder is %s says so and ends", async (how) => {
  const project = projectWithOrder();
  const dev = await project.start();
  const folder = join(project.folder, ".holdfast");
  if (how === "moved") renameSync(folder, join(project.folder, "elsewhere"));
  else rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  expect(await dev.exit()).toBe(2);
  expect(dev.err).toContain(
    "Error: .holdfast was removed or moved while the server used it. Start the server again.\n",
  );
  // Nothing is left that the next start would take for a folder of somebody else.
  await project.start();
});

test.each([
  ["file", "it is a file (EEXIST)"],
  ["file/in", "a part of the path is a file (ENOTDIR)"],
  ["link", "a part of the path leads to no folder (ENOENT)"],
  ...(process.platform === "linux" ? [["proc/deep/er", "a part of the path leads to no folder (ENOENT)"]] : []),
])("DEV1 a data folder that cannot be used is named with the reason: %s", (name, reason) => {
  const { folder } = makeProject({ file: "" });
  symlinkSync("nowhere", join(folder, "link"));
  symlinkSync("/proc", join(folder, "proc"));
  expect(() => DataFolder.open(join(folder, name), name)).toThrow(
    new UsageError(`The folder ${name} for the runs cannot be used: ${reason}. Give another one: --data <folder>`),
  );
});

test.each(['{"token":5}', '{"token":""}', '{"token":"two words, and long"}', "", "[]", "null"])(
  "DEV5 a stored token that no request can have is replaced: %s",
  (text) => {
    const { folder } = makeProject({ ".holdfast/dev.json": text });
    const data = DataFolder.open(join(folder, ".holdfast"), ".holdfast");
    expect(data.token).toMatch(/^[0-9a-f]{48}$/);
    data.release();
    expect(DataFolder.open(join(folder, ".holdfast"), ".holdfast").token).toBe(data.token);
  },
);

test("DEV4 an esbuild that is killed starts again, and the next save is loaded", async () => {
  const project = projectWithOrder();
  const dev = await project.start();
  const kill = (): boolean => spawnSync("pkill", ["-KILL", "-P", String(dev.child.pid), "esbuild"]).status === 0;
  expect(kill()).toBe(true);
  await dev.says("esbuild ended by itself; it starts again.");
  project.write({ "src/workflows.ts": orderCode({ result: "new" }) });
  await dev.says("Serves the new code");
  await until(kill);
  await dev.says("esbuild ended by itself; it starts again.", 2);
  project.write({ "src/workflows.ts": orderCode({ result: "newer" }) });
  await dev.says("Serves the new code", 2);
  dev.child.kill("SIGTERM");
  expect(await dev.exit()).toBe(0);
});
