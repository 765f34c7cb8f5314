/**
 * The steps of the packed test with the command `holdfast`, as npm installed it.
 *
 * Owns: the old versions of Node, the missing peers, and a local server with the verbs that ask it. Text for people is checked
 * by the tests of the command; this checks that the packed command finds all that it needs.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { findFreePort } from "@holdfast/cli/free-port";
import { type Place, execute, run, serve } from "./processes.ts";
import { type Project, type Step, binary, linkTools } from "./project.ts";

const HOLDFAST = "node_modules/.bin/holdfast";
const NODES = [process.execPath, binary("node-22/bin/node")].filter((node) => node !== undefined);

/** Runs the command, which must end with this status and write one line to stderr that matches. */
async function refuses(command: readonly string[], place: Place, line: RegExp): Promise<string> {
  const { status, stdout, stderr } = await execute(command, place);
  const isOneLine = stderr.indexOf("\n") === stderr.length - 1;
  if (status === 2 && stdout === "" && isOneLine && line.test(stderr)) return stderr.trim();
  throw new Error(`${command.join(" ")} ended with ${status}: ${stdout}${stderr}`);
}

/** Starts an order with a verb, approves it with another, and reads its result. */
async function operate(node: string, project: Project): Promise<string> {
  const holdfast = (...args: readonly string[]) => run([node, HOLDFAST, ...args], project);
  const input = '{ "orderId": "o-2", "cents": 100 }';
  const id = (await holdfast("start", "order", "--input", input, "--output", "id")).trim();
  await holdfast("signal", id, "approval", "--input", '{ "ok": true }');
  const result = await holdfast("result", id);
  if (!result.includes('"orderId":"o-2"')) throw new Error(`The result is wrong: ${result}`);
  const listed = await holdfast("list", "--output", "id");
  if (!listed.split("\n").includes(id)) throw new Error(`Not listed: ${listed}`);
  return id;
}

/** Reads the page of a run, without a token, and all that it names. */
export async function showDashboard(url: string): Promise<void> {
  const page = await fetch(`${url}/ui/runs/o-2`);
  const paths = [...(await page.text()).matchAll(/"(\/ui\/assets\/[^"]+)"/gu)].map(([, path = ""]) => path);
  const statuses = await Promise.all(paths.map(async (path) => (await fetch(url + path)).status));
  if (page.status !== 200 || statuses.length < 2 || statuses.some((status) => status !== 200))
    throw new Error(`The dashboard is answered with ${page.status}, its files with ${statuses.join(", ")}.`);
}

export const COMMAND_STEPS: readonly Step[] = [
  {
    name: "holdfast says what it is, on this Node and on Node 22.12.0",
    run: async (project) => {
      for (const node of NODES) {
        const help = await run([node, HOLDFAST, "--help"], project);
        if (!help.startsWith("Usage: holdfast")) throw new Error(`No help: ${help}`);
      }
      return (await run([process.execPath, HOLDFAST, "--version"], project)).trim();
    },
  },
  {
    name: "holdfast says in one line that Node 20 is too old",
    run: async (project) => {
      const node = binary("node-20/bin/node");
      if (node === undefined) return;
      return refuses([node, HOLDFAST, "list"], project, /^holdfast needs Node [\d.]+ or newer, /u);
    },
  },
  {
    name: "a service on Node 20 reads in one line which Node it needs",
    run: async (project) => {
      const node = binary("node-20/bin/node");
      if (node === undefined) return;
      const { status, stderr } = await execute([node, "service.cjs"], project);
      const [line] = /^Error: @holdfast\/workflows needs Node [\d.]+ or newer, .*$/mu.exec(stderr) ?? [];
      if (status !== 1 || line === undefined) throw new Error(`It ended with ${status}: ${stderr}`);
      return line;
    },
  },
  {
    name: "holdfast dev says in one line how its peers are installed",
    run: (project) =>
      refuses([process.execPath, HOLDFAST, "dev", "src/order.ts"], project, / npm install -D .*workerd/u),
  },
  {
    name: "holdfast dev serves a workflow, and the verbs start, approve, read and list its runs",
    run: async (project) => {
      linkTools(project, ["esbuild", "workerd"]);
      for (const node of NODES) {
        const port = String(await findFreePort());
        const data = `.holdfast-${port}`;
        const command = [node, HOLDFAST, "dev", "src/order.ts", "--port", port, "--data", data];
        await serve(command, project, `http://127.0.0.1:${port}/healthz`);
        await showDashboard(`http://127.0.0.1:${port}`);
        const { token } = JSON.parse(readFileSync(join(project.folder, data, "dev.json"), "utf8")) as { token: string };
        const env = { ...project.env, HOLDFAST_URL: `http://127.0.0.1:${port}`, HOLDFAST_TOKEN: token };
        await operate(node, { ...project, env });
      }
      return "";
    },
  },
];
