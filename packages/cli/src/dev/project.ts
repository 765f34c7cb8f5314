/**
 * The user's project: its entry, its wrangler configuration and its variables.
 *
 * Owns: which entry is taken if none is given, and what of `wrangler.jsonc`, `.dev.vars` and `.env` the local server
 * supports. Everything is read again at each build.
 */
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { parseEnv } from "node:util";
import { UsageError } from "../exit.ts";

const ENTRIES = [
  "src/workflows",
  "src/workflows/index",
  "workflows",
  "workflows/index",
  "src/index",
  "src/worker",
  "index",
];
const EXTENSIONS = [".ts", ".mts", ".tsx", ".js", ".mjs"];
const WRANGLER = ["wrangler.jsonc", "wrangler.json"];
/** As in wrangler, `.env` counts only without `.dev.vars`, and a later file wins. */
const VARIABLES = [[".dev.vars"], [".env", ".env.local"]] as const;

/** What `wrangler.jsonc` says, as far as the local server supports it. */
interface Wrangler {
  readonly main?: string;
  readonly compatibility_date?: string;
  readonly compatibility_flags?: readonly string[];
  readonly vars?: Readonly<Record<string, unknown>>;
  readonly durable_objects?: { readonly bindings?: readonly ObjectBinding[] };
}

interface ObjectBinding {
  readonly name: string;
  readonly class_name: string;
  readonly script_name?: string;
}

/** Bindings of services that plain workerd does not have. */
const SERVICES = [
  "ai",
  "analytics_engine_datasets",
  "browser",
  "d1_databases",
  "dispatch_namespaces",
  "hyperdrive",
  "kv_namespaces",
  "queues",
  "r2_buckets",
  "ratelimits",
  "send_email",
  "services",
  "vectorize",
  "workflows",
] as const;

/** Returns a line for each part of the configuration that the local server does not use. `newest`: as above. */
export function unusedConfiguration(project: Project, newest?: string): readonly string[] {
  const { folder, wrangler } = project;
  const date = compatibilityDateOf(project, newest);
  const missing = SERVICES.filter((kind) => Object.hasOwn(wrangler, kind));
  const isToml = existsSync(join(folder, "wrangler.toml")) && !WRANGLER.some((name) => existsSync(join(folder, name)));
  return [
    ...(missing.length === 0
      ? []
      : [`Not on this server: ${missing.join(", ")} of wrangler.jsonc. wrangler dev has them.`]),
    ...((wrangler.compatibility_date ?? date) === date
      ? []
      : [`compatibility_date is ${date} on this server: the installed workerd knows no later one. Update workerd.`]),
    ...(isToml ? ["wrangler.toml is not read here. Write it as wrangler.jsonc."] : []),
  ];
}

/** The compatibility date of an entry without `wrangler.jsonc`. From this date on, nodejs_compat is on by default. */
const COMPATIBILITY_DATE = "2026-10-01";

/**
 * Returns the date for a workerd that supports dates up to `newest`. A new Worker has the date of its first day, which the
 * installed workerd may not know yet.
 */
export function compatibilityDateOf({ wrangler }: Project, newest: string | undefined): string {
  const { compatibility_date: wanted = COMPATIBILITY_DATE } = wrangler;
  return newest !== undefined && newest < wanted ? newest : wanted;
}

export interface Project {
  /** The folder of the entry's `wrangler.jsonc`, or else the current folder. */
  readonly folder: string;
  readonly wrangler: Wrangler;
  /** Variables of `.dev.vars` or `.env`. They win over `vars` of `wrangler.jsonc`. */
  readonly variables: Readonly<Record<string, string>>;
}

/** Returns the path of the entry. @throws UsageError if there is none. */
export function findEntry(folder: string, given: string | undefined): string {
  if (given !== undefined) {
    const path = resolve(folder, given);
    if (!existsSync(path))
      throw new UsageError(`There is no file ${given}. Give the file that exports your workflows.`);
    if (!statSync(path).isDirectory()) return path;
    return findEntry(path, undefined);
  }
  const { main } = readProject(folder, folder).wrangler;
  const named = ENTRIES.flatMap((name) => EXTENSIONS.map((extension) => name + extension));
  const found = [...(main === undefined ? [] : [main]), ...named].find((name) => existsSync(join(folder, name)));
  if (found !== undefined) return join(folder, found);
  throw new UsageError(
    "There is no src/workflows.ts here. Give the file that exports your workflows: holdfast dev path/to/workflows.ts; or the address of your service: holdfast dev --steps http://127.0.0.1:3000/holdfast",
  );
}

/**
 * Reads the configuration that belongs to an entry.
 * @param entryFolder The folder of the entry.
 * @throws UsageError for a file that cannot be parsed.
 */
export function readProject(current: string, entryFolder: string): Project {
  const folder = folderOfWrangler(current, entryFolder);
  const file = WRANGLER.map((name) => join(folder, name)).find((one) => existsSync(one));
  const variableFiles = VARIABLES.map((names) => names.map((name) => join(folder, name)));
  const read = variableFiles.find((files) => files.some((one) => existsSync(one))) ?? [];
  const variables = Object.assign(
    {},
    ...read.filter((one) => existsSync(one)).map((one) => parseEnv(readFileSync(one, "utf8"))),
  );
  return {
    folder,
    wrangler: file === undefined ? {} : readWrangler(file, current),
    variables: variables as Record<string, string>,
  };
}

/** The files that `readProject` reads, or would read if they existed, and those that decide how the entry is built. */
export function filesOfProject(current: string, entryFolder: string): readonly string[] {
  const folder = folderOfWrangler(current, entryFolder);
  return [...WRANGLER, ...VARIABLES.flat(), "package.json", "tsconfig.json"].map((name) => join(folder, name));
}

/** The nearest folder with a configuration, from the entry up to the current folder. */
function folderOfWrangler(current: string, entryFolder: string): string {
  for (let at = entryFolder; ; at = dirname(at)) {
    if (WRANGLER.some((name) => existsSync(join(at, name)))) return at;
    if (at === current || dirname(at) === at || relative(current, at).startsWith("..")) return current;
  }
}

function readWrangler(file: string, current: string): Wrangler {
  const shown = relative(current, file);
  const wrangler = parseWrangler(file, shown);
  const problem = problemOf(wrangler);
  if (problem !== undefined) throw new UsageError(`${shown}: ${problem}.`);
  return wrangler as Wrangler;
}

function parseWrangler(file: string, shown: string): unknown {
  try {
    // Some editors of Windows write a byte order mark.
    return JSON.parse(plainJson(readFileSync(file, "utf8").replace(/^\uFEFF/, "")));
  } catch (error) {
    throw new UsageError(`${shown} is no valid JSON with comments: ${(error as Error).message}`);
  }
}

/** Returns what of the fields that are read here has a wrong type. */
function problemOf(wrangler: unknown): string | undefined {
  if (!isObject(wrangler)) return "it must be an object";
  const { main, compatibility_date: date, compatibility_flags: flags, vars, durable_objects: objects } = wrangler;
  if (main !== undefined && typeof main !== "string") return "main must be a text";
  if (date !== undefined && !(typeof date === "string" && /^\d{4}-\d\d-\d\d$/.test(date)))
    return "compatibility_date must be a date such as 2026-10-01";
  if (flags !== undefined && !areTexts(flags)) return "compatibility_flags must be an array of texts";
  if (vars !== undefined && !isObject(vars)) return "vars must be an object";
  if (objects === undefined) return undefined;
  if (!isObject(objects)) return "durable_objects must be an object";
  const { bindings = [] } = objects;
  const isBinding = (one: unknown): boolean => isObject(one) && areTexts([one["name"], one["class_name"]]);
  if (Array.isArray(bindings) && bindings.every(isBinding)) return undefined;
  return "durable_objects.bindings must be an array of objects with name and class_name";
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function areTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}

/** Removes comments and trailing commas, and nothing of a string. */
function plainJson(text: string): string {
  const uncommented = text.replace(
    /("(?:\\.|[^"\\])*")|\/\/[^\n]*|\/\*[\s\S]*?\*\//g,
    (_all, quoted?: string) => quoted ?? " ",
  );
  return uncommented.replace(/("(?:\\.|[^"\\])*")|,(?=\s*[}\]])/g, (_all, quoted?: string) => quoted ?? "");
}
