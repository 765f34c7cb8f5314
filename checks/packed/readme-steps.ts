/**
 * The steps of the packed test that follow README.md and the tutorial, line by line, and the projects that `npm create holdfast` writes.
 *
 * Owns: for each way to begin, an empty folder; for each section, an empty home with an empty cache. Names of ours come
 * from the registry on loopback alone, which the last step of the packed test checks.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findFreePort } from "@holdfast/cli/free-port";
import type { CommandAct } from "../pages/acts.ts";
import { run, serve } from "./processes.ts";
import { type Project, STRICT, type Step, TOOLS, tool } from "./project.ts";
import { Reader } from "./reader.ts";
import { type ReadmePath, readPaths, readReadme, readTutorial } from "./readme.ts";

/** The homes of the sections. */
const homes = new Map<string, string>();

function environmentOf(project: Project, section: string): Readonly<Record<string, string>> {
  const home = homes.get(section) ?? mkdtempSync(join(tmpdir(), "holdfast-home-"));
  homes.set(section, home);
  return { ...project.env, HOME: home, npm_config_cache: join(home, ".npm"), NEXT_TELEMETRY_DISABLED: "1" };
}

/** What a test does in the folder after the last line of the section. */
type Further = (reader: Reader, path: ReadmePath) => Promise<void>;

const FURTHER: Readonly<Record<string, Further>> = {
  "Start from nothing": async ({ place }) => {
    await run(["npm", "test"], place);
    await run(["npm", "run", "typecheck"], place);
    await run(["npm", "run", "deploy", "--", "--dry-run", "--outdir", "dist"], place);
  },
  "Add it to your Worker": async (reader, { acts }) => {
    await compile(reader, acts, { types: [join(TOOLS, "node_modules/@cloudflare/workers-types")], lib: ["ES2022"] });
    await run([...tool("wrangler/bin/wrangler.js"), "deploy", "--dry-run", "--outdir", "dist"], reader.place);
    await serveWithWrangler(reader);
  },
  "Keep your code in Node": (reader, { acts }) =>
    compile(reader, acts, { types: ["node"], typeRoots: [join(TOOLS, "node_modules/@types")], lib: ["ES2022"] }),
};

/** Compiles the files of the page under strict options, with the libraries of their platform. */
async function compile({ place }: Reader, acts: ReadmePath["acts"], platform: object): Promise<void> {
  const written = acts.flatMap((act) => (act.kind === "file" ? [act.path] : []));
  const compilerOptions = {
    ...platform,
    ...STRICT,
    allowImportingTsExtensions: true,
    skipLibCheck: true,
    module: "esnext",
    moduleResolution: "bundler",
  };
  const files = written.filter((path) => path.endsWith(".ts"));
  writeFileSync(join(place.cwd, "tsconfig.readme.json"), JSON.stringify({ compilerOptions, files }));
  await run([...tool("typescript/bin/tsc"), "-p", "tsconfig.readme.json"], place);
}

async function serveWithWrangler({ place }: Reader): Promise<void> {
  const url = `http://127.0.0.1:${await findFreePort()}`;
  writeFileSync(join(place.cwd, ".dev.vars"), "API_TOKENS=a-token-of-the-reader\n");
  const ports = ["--port", new URL(url).port, "--inspector-port", String(await findFreePort())];
  await serve([...tool("wrangler/bin/wrangler.js"), "dev", ...ports], place, `${url}/healthz`);
  const headers = { Authorization: "Bearer a-token-of-the-reader", "Content-Type": "application/json" };
  const body = JSON.stringify({ workflowId: "signup", input: { email: "ada@example.com" } });
  const response = await fetch(`${url}/api/runs`, { method: "POST", headers, body });
  if (response.status !== 201) throw new Error(`wrangler dev answers ${response.status}: ${await response.text()}`);
}

/** Follows a section. The readers of its variants work at the same time: most of it is waiting for downloads. */
function follow(title: string, paths: readonly ReadmePath[]): Step {
  return {
    name: `README.md, ${title}: every line does what it says`,
    run: async (project) => (await Promise.all(paths.map((path) => followOne(project, path)))).join(", "),
  };
}

async function followOne(project: Project, path: ReadmePath): Promise<string> {
  const { title, variant = "the reader" } = path;
  const reader = await Reader.begin(environmentOf(project, title));
  try {
    const start = performance.now();
    await reader.does(path.acts);
    const seconds = Math.round((performance.now() - start) / 1_000);
    await reader.ends();
    await FURTHER[title]?.(reader, path);
    return `${variant} is there after ${seconds} s`;
  } catch (error) {
    throw new Error(`${variant}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  } finally {
    rmSync(reader.folder, { recursive: true, force: true });
  }
}

/** One reader follows all parts of the tutorial in one folder. Returns the time of each part, without reading and typing. */
async function followTutorial(project: Project): Promise<string> {
  const reader = await Reader.begin(environmentOf(project, "tutorial"));
  const times: string[] = [];
  for (const { title, acts } of readTutorial()) {
    const start = performance.now();
    try {
      await reader.does(acts);
    } catch (error) {
      throw new Error(`${title}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
    times.push(`${Math.round((performance.now() - start) / 1_000)} s`);
  }
  await reader.ends();
  rmSync(reader.folder, { recursive: true, force: true });
  return `parts: ${times.join(", ")}`;
}

/** A project of another kind. Its README has a tour, which ends as that of a Worker does. */
async function create(project: Project, kind: "node" | "both"): Promise<void> {
  const reader = await Reader.begin(environmentOf(project, "Start from nothing"));
  await reader.does([
    command("run", `npm create holdfast shop -- --${kind}`),
    command("run", "cd shop"),
    command("run", "npm install"),
    command("run", "npm run typecheck"),
    command("run", "npm test"),
    command("serve", "npm run dev"),
  ]);
  const [tour] = readPaths(readFileSync(join(reader.cwd, "README.md"), "utf8"), "The tour");
  await reader.does(tour?.acts ?? []);
  await reader.ends();
  rmSync(reader.folder, { recursive: true, force: true });
}

function command(kind: CommandAct["kind"], text: string): CommandAct {
  return { kind, command: text, answer: undefined };
}

export const README_STEPS: readonly Step[] = [
  ...[...Map.groupBy(readReadme(), ({ title }) => title)].map(([title, paths]) => follow(title, paths)),
  {
    name: "the tutorial, and npm create holdfast -- --node, --both: every line does what it says, and the projects pass their tests",
    run: async (project) => {
      const [parts] = await Promise.all([followTutorial(project), create(project, "node"), create(project, "both")]);
      return parts;
    },
  },
  {
    name: "the homes of the readers are removed",
    run: async () => {
      for (const home of homes.values()) rmSync(home, { recursive: true, force: true });
      return `${homes.size} homes`;
    },
  },
];
