/**
 * The steps of the packed test, in order.
 *
 * Owns: what users do with the packages: install, compile, bundle, deploy, develop, test, call. What they do with the command
 * is in command-steps.ts.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findFreePort } from "@holdfast/cli/free-port";
import { COMMAND_STEPS, showDashboard } from "./command-steps.ts";
import { REPOSITORY } from "../source-files.ts";
import { run, serve } from "./processes.ts";
import { README_STEPS } from "./readme-steps.ts";
import { type Project, STRICT, type Step, TOOLS, binary, linkTools, tool } from "./project.ts";

const INSTALLED = ["@holdfast/workflows", "@holdfast/orchestrator-cloudflare", "@holdfast/cli"];
const TOKEN = "a-token-for-the-packed-test";

/** What npm says of an installed package. */
interface Installed {
  readonly name: string;
  /** Where it lies in the project: nowhere for the project itself. */
  readonly location: string;
  readonly license?: string;
  readonly scripts?: Readonly<Record<string, string>>;
}

const INSTALL = new Set(["preinstall", "install", "postinstall"]);
const LICENCES = new Set(["Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "0BSD"]);

const install: readonly Step[] = [
  {
    name: "npm installs the packages, with an empty cache and home",
    isNeeded: true,
    run: async (project) => {
      await run(["npm", "install", ...INSTALLED], project);
      await run(["npm", "ls", "--all"], project);
      return `${project.registry.served.size} packages of ours, ${project.registry.passedOn.size} others`;
    },
  },
  {
    name: "every installed package has a permissive licence, and none runs a script when it is installed",
    run: async (project) => {
      const all = JSON.parse(await run(["npm", "query", "*"], project)) as readonly Installed[];
      const installed = all.filter(({ location }) => location !== "");
      const runs = installed.filter(({ scripts = {} }) => Object.keys(scripts).some((name) => INSTALL.has(name)));
      const others = installed.filter(({ license = "none" }) => !LICENCES.has(license));
      const wrong = [...new Set([...runs, ...others])].map(({ name, license }) => `${name} (${license})`);
      if (wrong.length > 0) throw new Error(wrong.join(", "));
      return `${installed.length} packages: ${[...new Set(installed.map(({ license }) => license))].join(", ")}`;
    },
  },
  {
    name: "npm installs them again from the lockfile, without install scripts",
    isNeeded: true,
    run: async (project) => {
      await run(["npm", "ci", "--ignore-scripts"], project);
      linkTools(project);
      return "";
    },
  },
];

/** The compilers of users, by the folder of the tool. */
const COMPILERS = ["typescript", "typescript-5"];
/** The files of each platform, with its libraries. */
const PLATFORMS = {
  workers: { lib: ["ES2022"], types: ["@cloudflare/workers-types"], files: ["src/worker.ts"] },
  node: { lib: ["ES2022"], types: ["node"], files: ["src/caller.ts", "src/steps.ts", "test/order.test.ts"] },
  browser: { lib: ["ES2022", "DOM", "DOM.Iterable"], types: [], files: ["src/page.ts"] },
};
const RESOLUTIONS = { nodenext: "nodenext", bundler: "esnext" };

const compile: readonly Step[] = COMPILERS.flatMap((compiler) =>
  Object.entries(RESOLUTIONS).map(([moduleResolution, module]) => ({
    name: `${compiler} compiles strictly under ${moduleResolution} with ES2022`,
    run: async (project: Project) => {
      for (const [platform, { lib, types, files }] of Object.entries(PLATFORMS)) {
        const path = `tsconfig.${moduleResolution}.${platform}.json`;
        const compilerOptions = { ...STRICT, lib, types, module, moduleResolution };
        writeFileSync(join(project.folder, path), JSON.stringify({ compilerOptions, files }));
        await run([...tool(`${compiler}/bin/tsc`), "-p", path], project);
      }
      return Object.keys(PLATFORMS).join(", ");
    },
  })),
);

const bundle: readonly Step[] = [
  {
    name: "esbuild bundles the Worker, and the client for a page",
    run: async (project) => {
      const esbuild = [...tool("esbuild/bin/esbuild"), "--bundle", "--format=esm", "--minify", "--target=es2022"];
      const outputs = { "src/worker.ts": "dist/worker.js", "src/page.ts": "public/page.js" };
      for (const [source, output] of Object.entries(outputs))
        await run([...esbuild, source, `--outfile=${output}`, "--external:cloudflare:workers"], project);
      const sizes = Object.values(outputs).map((path) => readFileSync(join(project.folder, path)).length);
      return sizes.map((bytes) => `${Math.round(bytes / 1_000)} kB`).join(", ");
    },
  },
  {
    name: "wrangler deploy --dry-run accepts the Worker",
    run: async (project) => {
      const deploy = ["deploy", "--dry-run", "--outdir", "dist/deployed"];
      const output = await run([...tool("wrangler/bin/wrangler.js"), ...deploy], project);
      return /Total Upload: .*/u.exec(output)?.[0] ?? "";
    },
  },
  {
    name: "vite dev with the Cloudflare plugin serves a run",
    run: async (project) => {
      const url = `http://127.0.0.1:${await findFreePort()}`;
      writeFileSync(join(project.folder, ".dev.vars"), `API_TOKENS=${TOKEN}\n`);
      const listen = ["--host", "127.0.0.1", "--strictPort", "--port", new URL(url).port];
      await serve([...tool("vite/bin/vite.js"), "dev", ...listen], project, `${url}/healthz`);
      return runtimes.Node?.(project, url);
    },
  },
];

const NODE_22 = "node-22/bin/node";

const commonJs: Step = {
  name: "a service in CommonJS loads the packages with Node 22.12.0",
  run: async (project) => {
    const node = binary(NODE_22);
    return node === undefined ? undefined : (await run([node, "service.cjs"], project)).trim();
  },
};

const test: readonly Step[] = (["this Node", "Node 22.12.0"] as const).map((name) => ({
  name: `testWorkflow runs under node:test of ${name}`,
  run: async (project: Project) => {
    const node = name === "this Node" ? process.execPath : binary(NODE_22);
    if (node === undefined) return;
    await compileForNode(project);
    const output = await run([node, "--test", "--test-reporter=tap", "dist/node/test/order.test.js"], project);
    return /# pass \d+/u.exec(output)?.[0].slice(2) ?? "";
  },
}));

/** Compiles to JavaScript, as a service on an older Node does. */
async function compileForNode(project: Project): Promise<void> {
  const { lib, types, files } = PLATFORMS.node;
  const emit = { noEmit: false, rootDir: ".", outDir: "dist/node" };
  const compilerOptions = { ...STRICT, ...emit, lib, types, module: "nodenext", moduleResolution: "nodenext" };
  writeFileSync(join(project.folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
  await run(tool("typescript/bin/tsc"), project);
}

/** Calls the server from a platform. Returns `undefined` if the tools have none for this machine. */
type Caller = (project: Project, url: string) => Promise<string | undefined>;

const runtimes: Readonly<Record<string, Caller>> = {
  Node: async (project, url) => {
    await compileForNode(project);
    return call([process.execPath, "dist/node/src/caller.js"], project, url);
  },
  "Node 22.12.0": async (project, url) => {
    const node = binary(NODE_22);
    return node === undefined ? undefined : call([node, "dist/node/src/caller.js"], project, url);
  },
  Bun: async (project, url) => {
    const bun = binary(".pnpm/@oven+bun-*/node_modules/@oven/*/bin/bun");
    return bun === undefined ? undefined : call([bun, "src/caller.ts"], project, url);
  },
  Deno: async (project, url) => {
    const deno = binary(".pnpm/@deno+*/node_modules/@deno/*/deno");
    const rights = [
      "--allow-net",
      "--allow-env",
      "--no-prompt",
      "--node-modules-dir=manual",
      "--unstable-sloppy-imports",
    ];
    return deno === undefined ? undefined : call([deno, "run", ...rights, "src/caller.ts"], project, url);
  },
  "a browser": async (project, url) => {
    if (process.platform !== "linux" || process.arch !== "x64") return;
    const place = { ...project, env: { ...project.env, TOOLS } };
    const page = `${url}/index.html#token=${TOKEN}`;
    return (await run([process.execPath, "browser.mjs", page], place)).trim();
  },
};

async function call(command: readonly string[], project: Project, url: string): Promise<string> {
  const env = { ...project.env, HOLDFAST_URL: url, HOLDFAST_TOKEN: TOKEN };
  return (await run(command, { cwd: project.folder, env })).trim();
}

/** The address of the server that the step `serve` started. */
let server = "";

const calls: readonly Step[] = [
  {
    name: "wrangler dev serves the Worker",
    isNeeded: true,
    run: async (project) => {
      server = `http://127.0.0.1:${await findFreePort()}`;
      writeFileSync(join(project.folder, ".dev.vars"), `API_TOKENS=${TOKEN}\n`);
      const ports = ["--port", new URL(server).port, "--inspector-port", String(await findFreePort())];
      await serve([...tool("wrangler/bin/wrangler.js"), "dev", ...ports], project, `${server}/healthz`);
      await showDashboard(server);
      return server;
    },
  },
  ...Object.entries(runtimes).map(([name, caller]) => ({
    name: `the client starts, approves, follows and reads a run from ${name}`,
    run: (project: Project) => caller(project, server),
  })),
];

const HOSTS_TEST = "packages/orchestrator-cloudflare/test/hosts.test.ts";

/** The suite finds the runtimes in the folder of the tools. */
const hosts: Step = {
  name: "step handlers in Node, Bun and Deno, plain and with Hono, get frames and end gently",
  run: async () => {
    const vitest = [join(REPOSITORY, "node_modules/.bin/vitest"), "run", "--project", "node", HOSTS_TEST];
    const env = { PATH: process.env["PATH"] ?? "" };
    return /\d+ passed.*/u.exec(await run(vitest, { cwd: REPOSITORY, env }))?.[0] ?? "";
  },
};

const end: readonly Step[] = [
  {
    name: "no name of ours was requested that is not packed",
    run: async ({ registry }) => {
      if (registry.refused.length > 0) throw new Error(registry.refused.join("\n"));
      return `served: ${[...registry.served].toSorted().join(", ")}`;
    },
  },
];

export const STEPS: readonly Step[] = [
  install,
  compile,
  bundle,
  test,
  commonJs,
  calls,
  hosts,
  COMMAND_STEPS,
  README_STEPS,
  end,
].flat();
