/**
 * Bundles the entry into one Worker, again after each change of a file that it consists of.
 *
 * Owns: the generated module that imports the entry, the resolution of the packages (the user's copies first), and the text
 * of build errors. esbuild polls the files: those of a failed build too, and those that do not exist yet.
 */
import { existsSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, extname, relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { BuildResult, Message, Plugin, PluginBuild } from "esbuild";
import { guarded } from "../local/guard.ts";
import { WORKER } from "../local/worker-options.ts";
import { type Peers, installLine } from "./peers.ts";
import { UsageError } from "../exit.ts";
import { type Project, filesOfProject, readProject } from "./project.ts";

export interface Build {
  readonly code: string;
  readonly sourceMap: string;
  readonly project: Project;
}

export interface BuildOptions {
  /** The current folder. Paths in messages are relative to it. */
  readonly current: string;
  /** The absolute path; `undefined`: the steps are elsewhere. */
  readonly entry: string | undefined;
  readonly colors: boolean;
}

export interface BuildEvents {
  built(build: Build): void;
  /** The text names file, line and column, and shows the line. */
  failed(text: string): void;
  /** esbuild ended by itself and starts again. */
  restarts(): void;
}

const GENERATED = "holdfast-dev";
const REQUIRED = "holdfast-dev-require";
const SERVE = fileURLToPath(new URL(`./worker/serve${extname(import.meta.filename)}`, import.meta.url));
const ADAPTER = /^@holdfast\/orchestrator-cloudflare(?:\/|$)/;

/** Between the end of esbuild and its next start, ms. It ends by itself too when a terminal is closed or gets Ctrl-C. */
const RESTART_MS = 500;

/** Builds now and after each change, until `signal` aborts. Resolves with a function that ends esbuild. */
export async function keepBuilding(
  esbuild: Peers["esbuild"],
  options: BuildOptions,
  events: BuildEvents,
  signal: AbortSignal,
): Promise<() => Promise<void>> {
  let end: (() => Promise<void>) | undefined;
  // esbuild may miss the death of this process: it waits for an answer then, forever.
  const begin = async (): Promise<void> => {
    end = await guarded(/esbuild/, () => watchBuild(esbuild, options, events), ended);
  };
  const ended = (): void => {
    setTimeout(() => {
      if (signal.aborted) return;
      events.restarts();
      void Promise.resolve(esbuild.stop()).then(begin);
    }, RESTART_MS);
  };
  await begin();
  return async () => end?.();
}

async function watchBuild(
  esbuild: Peers["esbuild"],
  options: BuildOptions,
  events: BuildEvents,
): Promise<() => Promise<void>> {
  const context = await esbuild.context({
    ...WORKER,
    absWorkingDir: options.current,
    entryPoints: [GENERATED],
    outfile: "worker.js",
    write: false,
    sourcemap: "external",
    sourcesContent: false,
    logLevel: "silent",
    define: { "process.env.NODE_ENV": '"development"' },
    loader: { ".txt": "text", ".html": "text", ".sql": "text", ".bin": "binary" },
    plugins: [generated(esbuild, options, events), nodeModules()],
  });
  await context.watch();
  return async () => {
    await context.dispose();
    await esbuild.stop();
  };
}

function generated(esbuild: Peers["esbuild"], options: BuildOptions, events: BuildEvents): Plugin {
  const { current, entry } = options;
  const folder = entry === undefined ? current : dirname(entry);
  let project: Project | undefined;
  return {
    name: GENERATED,
    setup(build) {
      build.onResolve({ filter: new RegExp(`^${GENERATED}$`) }, () => ({ path: GENERATED, namespace: GENERATED }));
      build.onLoad({ filter: /.*/, namespace: GENERATED }, () => {
        project = undefined;
        const watchFiles = [...filesOfProject(current, folder)];
        try {
          project = readProject(current, folder);
        } catch (error) {
          if (!(error instanceof UsageError)) throw error;
          return { errors: [{ text: error.message, pluginName: "" }], watchFiles };
        }
        return { contents: moduleText(entry, current, project), resolveDir: folder, watchFiles };
      });
      preferUsersAdapter(build, folder);
      build.onEnd(async (result) => {
        if (result.errors.length === 0 && project !== undefined) return events.built(outputOf(result, project));
        events.failed(await errorText(esbuild, result.errors, options));
      });
    },
  };
}

/** The module that workerd starts. Names of the entry are not exported again: workerd accepts handlers and classes only. */
function moduleText(entry: string | undefined, current: string, { wrangler }: Project): string {
  const exported =
    "export default served.worker;\nexport const WorkflowRunDO = served.WorkflowRunDO;\nexport const RunIndexDO = served.RunIndexDO;\nexport const CoordinatorDO = served.CoordinatorDO;\n";
  if (entry === undefined) {
    return `import { serveSteps } from ${JSON.stringify(SERVE)};\nconst served = serveSteps();\n${exported}`;
  }
  const classes = {
    run: classBound(wrangler, "WORKFLOW_RUN_DO"),
    index: classBound(wrangler, "RUN_INDEX_DO"),
    coordinator: classBound(wrangler, "COORDINATOR_DO"),
  };
  const named = JSON.stringify(relative(current, entry));
  const own = Object.values(ownClasses(wrangler)).map(
    (name) => `export const ${name} = Object(entry)[${JSON.stringify(name)}];\n`,
  );
  return [
    // The marks of the console come first.
    `import { serveEntry } from ${JSON.stringify(SERVE)};\n`,
    `import * as entry from ${JSON.stringify(entry)};\n`,
    `const served = serveEntry(entry, ${named}, ${JSON.stringify(classes)});\n`,
    exported,
    ...new Set(own),
  ].join("");
}

const USUAL = {
  WORKFLOW_RUN_DO: "WorkflowRunDO",
  RUN_INDEX_DO: "RunIndexDO",
  COORDINATOR_DO: "CoordinatorDO",
} as const;

function classBound({ durable_objects: objects }: Project["wrangler"], binding: keyof typeof USUAL): string {
  return objects?.bindings?.find(({ name }) => name === binding)?.class_name ?? USUAL[binding];
}

/** The object classes of the user's own, by binding. */
export function ownClasses({ durable_objects: objects }: Project["wrangler"]): Readonly<Record<string, string>> {
  const own = (objects?.bindings ?? []).filter(
    ({ name, class_name, script_name }) =>
      !Object.hasOwn(USUAL, name) && script_name === undefined && /^[\w$]+$/.test(class_name),
  );
  return Object.fromEntries(own.map(({ name, class_name }) => [name, class_name]));
}

/** The copy of the user's project is the one that will be deployed. Without it, the command brings its own. */
function preferUsersAdapter(build: PluginBuild, folder: string): void {
  build.onResolve({ filter: ADAPTER }, async ({ path, importer, kind, pluginData }) => {
    if (pluginData === GENERATED || !importer.startsWith(dirname(SERVE))) return undefined;
    const found = await build.resolve(path, { kind, resolveDir: folder, pluginData: GENERATED });
    return found.errors.length === 0 ? found : undefined;
  });
}

/** Lets packages name Node's modules without `node:`, and require them, as wrangler does. */
function nodeModules(): Plugin {
  const filter = new RegExp(`^(?:node:)?(?:${builtinModules.map((name) => name.replace("node:", "")).join("|")})$`);
  return {
    name: "node-modules",
    setup(build) {
      build.onResolve({ filter }, ({ path, kind }) => {
        const full = path.startsWith("node:") ? path : `node:${path}`;
        return kind === "require-call" ? { path: full, namespace: REQUIRED } : { path: full, external: true };
      });
      build.onLoad({ filter: /.*/, namespace: REQUIRED }, ({ path }) => ({
        contents: `import all from ${JSON.stringify(path)};\nmodule.exports = all;\n`,
      }));
    },
  };
}

function outputOf({ outputFiles = [] }: BuildResult, project: Project): Build {
  const textOf = (suffix: string): string => outputFiles.find(({ path }) => path.endsWith(suffix))?.text ?? "";
  return { code: textOf(".js"), sourceMap: textOf(".js.map"), project };
}

async function errorText(
  esbuild: Peers["esbuild"],
  errors: readonly Message[],
  options: BuildOptions,
): Promise<string> {
  const { entry, current, colors } = options;
  if (entry !== undefined && !existsSync(entry)) return `${relative(current, entry)} does not exist.`;
  const messages = await esbuild.formatMessages(
    errors.map((error) => withRemedy(error, current)),
    {
      kind: "error",
      color: colors,
    },
  );
  return messages.join("").trim();
}

/** A package that cannot be found is not installed. */
function withRemedy(message: Message, current: string): Message {
  const name = /^Could not resolve "((?:@[^/"]+\/)?[^./"@][^/"]*)/.exec(message.text)?.[1];
  if (name === undefined || name === GENERATED) return message;
  const line = installLine(current, [name]).replace(" -D", "").replace(" -d", "");
  return { ...message, notes: [{ text: `If ${name} is not installed, run: ${line}`, location: null }] };
}
