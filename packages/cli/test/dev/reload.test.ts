/** tests: the server loads changed code: a run continues with it, a run that does not fit is paused, broken code never serves */
import { renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Dev, makeProject, orderCode, until } from "./dev-process.ts";

async function statusOf(dev: Dev, runId: string): Promise<string> {
  return (await dev.run(runId)).status;
}

test("DEV4 a run that waits meets the changed code when it wakes, and no request is refused meanwhile", async () => {
  const project = makeProject({ "src/workflows.ts": orderCode() });
  const dev = await project.start();
  expect(dev.err).toContain("workflows  order");
  await dev.begin("o1");
  await dev.prints("o1 order  waits for signal approval");
  expect(dev.out).toMatch(/o1 order {2}starts {2}http:\S+\/ui\/runs\/o1\n[^]*o1 {2}in a step\n/);
  const { workerd } = dev;
  project.write({ "src/workflows.ts": orderCode({ result: "shipped by the new code" }) });
  const answers = new Set<number>();
  await until(async () => {
    answers.add((await dev.ask("/api/workflows")).status);
    return dev.err.includes("Serves the new code");
  });
  expect(answers).toEqual(new Set([200]));
  expect(dev.workerd).not.toBe(workerd);
  await dev.signal("o1");
  await dev.prints("o1 order  completed after");
  expect(await dev.run("o1")).toMatchObject({ status: "completed", output: "shipped by the new code" });
});

test("DEV6 a run that no longer fits its code is printed when it is paused, and continues with code that fits", async () => {
  const project = makeProject({ "src/workflows.ts": orderCode() });
  const dev = await project.start();
  await dev.begin("o1");
  await dev.prints("waits for signal approval");
  project.write({ "src/workflows.ts": orderCode({ first: "hold" }) });
  await dev.says("Serves the new code");
  expect(dev.out).not.toContain("paused");
  await dev.signal("o1");
  await dev.prints("o1 order  is paused: NON_DETERMINISM: ");
  expect(dev.out).toContain('step "reserve"');
  expect(dev.out).toContain("holdfast retry o1");
  project.write({ "src/workflows.ts": orderCode() });
  await dev.says("Serves the new code", 2);
  expect((await dev.ask("/api/runs/o1/retry", {})).status).toBe(202);
  await dev.prints("completed after");
});

test("DEV3 broken code says where it is broken, the old code serves, and the next save is loaded", async () => {
  const project = makeProject({ "src/workflows.ts": orderCode(), "src/lib.ts": "export const port: number = 1;\n" });
  const dev = await project.start();
  project.write({ "src/workflows.ts": `${orderCode()}const x = ;\n` });
  await dev.says("src/workflows.ts:11:10");
  expect(dev.err).toContain("const x = ;");
  await dev.says("still serves", 1);
  project.write({ "src/workflows.ts": `import "./lib.ts";\n${orderCode()}` });
  await dev.says("Corrected: this is the code that serves.");
  project.write({ "src/lib.ts": "function load(): void {\n  throw new Error('no file');\n}\nload();\n" });
  await dev.says("no file\n  at src/lib.ts:2:9 in load\n");
  expect(dev.err).toContain("2 │   throw new Error('no file');");
  project.write({ "src/workflows.ts": "export const nothing = 1;\n" });
  await dev.says("src/workflows.ts exports no workflow.");
  rmSync(join(project.folder, "src/workflows.ts"));
  await dev.says("src/workflows.ts does not exist.");
  await dev.begin("o1");
  await dev.prints("waits for signal approval");
  // As editors save: into a new file that replaces the old one.
  project.write({ "src/new.ts": orderCode({ result: "again" }) });
  renameSync(join(project.folder, "src/new.ts"), join(project.folder, "src/workflows.ts"));
  await dev.says("Serves the new code");
  await dev.signal("o1");
  await until(async () => (await statusOf(dev, "o1")) === "completed");
});

test("DEV3 an entry that is broken at the start is answered 503 with the reason, and served when it is corrected", async () => {
  const project = makeProject({ "src/workflows.ts": 'import { a } from "./missing.ts";\nexport const b = a;\n' });
  const dev = project.launch();
  await dev.says("Nothing is served");
  expect(dev.err).toContain("src/workflows.ts:1:18");
  const answer = await dev.ask("/api/workflows");
  expect(answer.status).toBe(503);
  expect(await answer.json()).toMatchObject({ message: expect.stringContaining("./missing.ts") });
  project.write({ "src/missing.ts": orderCode().replace("const order", "const a") });
  await dev.says("Ready.");
  await dev.begin("o1");
});

test("DEV4 of several saves in a row, also in the middle of a restart, the last one serves", async () => {
  const project = makeProject({ "src/workflows.ts": orderCode() });
  const dev = await project.start();
  await dev.begin("o1");
  for (let n = 1; n <= 6; n++) {
    project.write({ "src/workflows.ts": orderCode({ result: `result ${n}` }) });
    const shown = dev.err.length;
    if (n % 2 === 0) await until(() => dev.err.length > shown);
  }
  await dev.signal("o1");
  await until(async () => (await statusOf(dev, "o1")) === "completed");
  await until(async () => {
    const response = await dev.ask("/api/runs", { workflowId: "order", runId: `last-${Date.now()}` });
    const { id } = (await response.json()) as { readonly id: string };
    await dev.signal(id);
    await until(async () => (await statusOf(dev, id)) === "completed");
    return (await dev.run(id)).output === "result 6";
  });
});
