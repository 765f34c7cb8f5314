/**
 * The kinds of projects, and the template files of each.
 *
 * Owns: the table of files. npm leaves a file `.gitignore` out of a package, so the template has it under another name.
 */

export const KINDS = ["worker", "node", "both"] as const;

export type Kind = (typeof KINDS)[number];

interface Description {
  readonly label: string;
  readonly hint: string;
  /** From the name in the template to the path in the project. */
  readonly files: Readonly<Record<string, string>>;
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: readonly string[];
  readonly devDependencies: readonly string[];
}

const SHARED: Readonly<Record<string, string>> = {
  gitignore: ".gitignore",
  "tsconfig.json": "tsconfig.json",
  "src/order.ts": "src/order.ts",
  "src/shop.ts": "src/shop.ts",
  "test/order.test.ts": "test/order.test.ts",
};

const SERVICE: Readonly<Record<string, string>> = { "src/dev.ts": "src/dev.ts", "src/server.ts": "src/server.ts" };

/** `holdfast dev` runs workerd, and bundles with esbuild. Both are optional for the command's other verbs. */
const TOOLS: readonly string[] = ["@holdfast/cli", "@types/node", "esbuild", "typescript", "workerd"];

const CHECKS = { test: "node --test", typecheck: "tsc" };

export const DESCRIPTIONS: Readonly<Record<Kind, Description>> = {
  worker: {
    label: "Worker",
    hint: "workflows and orchestrator in one Cloudflare Worker",
    files: {
      ...SHARED,
      "README.worker.md": "README.md",
      "src/worker.ts": "src/worker.ts",
      "wrangler.jsonc": "wrangler.jsonc",
    },
    scripts: { dev: "holdfast dev", ...CHECKS, deploy: "wrangler deploy" },
    dependencies: ["@holdfast/orchestrator-cloudflare", "@holdfast/workflows", "zod"],
    devDependencies: [...TOOLS, "wrangler"],
  },
  node: {
    label: "Node service",
    hint: "workflows in a Node process; an orchestrator elsewhere calls it",
    files: { ...SHARED, ...SERVICE, "README.node.md": "README.md" },
    scripts: { dev: "node src/dev.ts", ...CHECKS, start: "node src/server.ts" },
    dependencies: ["@holdfast/workflows", "@hono/node-server", "hono", "zod"],
    devDependencies: TOOLS,
  },
  both: {
    label: "Both",
    hint: "workflows in a Node process, and the Worker that orchestrates them",
    files: {
      ...SHARED,
      ...SERVICE,
      "README.both.md": "README.md",
      "src/orchestrator.ts": "src/orchestrator.ts",
      "wrangler.both.jsonc": "wrangler.jsonc",
    },
    scripts: { dev: "node src/dev.ts", ...CHECKS, start: "node src/server.ts", deploy: "wrangler deploy" },
    dependencies: ["@holdfast/orchestrator-cloudflare", "@holdfast/workflows", "@hono/node-server", "hono", "zod"],
    devDependencies: [...TOOLS, "wrangler"],
  },
};
