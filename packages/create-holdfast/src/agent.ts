/**
 * The package manager that started the command: its commands, and the files with which a project installs under it.
 *
 * Owns: how it is found. Package managers name themselves in `npm_config_user_agent`: `pnpm/12.21.0 npm/? node/v26.10.0`.
 */

export interface Agent {
  readonly name: "npm" | "pnpm" | "yarn" | "bun";
  /** A script of the project. */
  readonly run: (script: string) => string;
  /** A command that a dependency of the project brings. */
  readonly exec: (command: string) => string;
  /** Further files of the project, by path. */
  readonly files: Readonly<Record<string, string>>;
}

const NPM: Agent = {
  name: "npm",
  run: (script) => `npm run ${script}`,
  exec: (command) => `npx ${command}`,
  files: {},
};

const OTHERS: readonly Agent[] = [
  {
    name: "pnpm",
    // `pnpm deploy` is a command of its own.
    run: (script) => `pnpm run ${script}`,
    exec: (command) => `pnpm exec ${command}`,
    // The binaries are in packages of the platform: no install script is needed. The file also makes the folder a
    // workspace of its own inside another one.
    files: { "pnpm-workspace.yaml": "allowBuilds: { esbuild: false, sharp: false, workerd: false }\n" },
  },
  {
    name: "yarn",
    run: (script) => `yarn ${script}`,
    exec: (command) => `yarn ${command}`,
    // A lockfile makes the folder a project of its own inside another one. Compilers look for packages in node_modules.
    files: { ".yarnrc.yml": "nodeLinker: node-modules\n", "yarn.lock": "" },
  },
  {
    name: "bun",
    run: (script) => `bun run ${script}`,
    exec: (command) => `bunx ${command}`,
    files: {},
  },
];

/** Returns npm for an unknown or missing agent. */
export function findAgent(named: string | undefined): Agent {
  const name = /^\w+(?=\/)/.exec(named ?? "")?.[0];
  return OTHERS.find((one) => one.name === name) ?? NPM;
}
