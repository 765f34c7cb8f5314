/**
 * Finds what a lockfile of pnpm does not know of the package.json files: pnpm only warns, and then starts the script with
 * what happens to be installed.
 *
 * Owns: the reading of the section `importers`, and the one line that says what to do.
 */
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

type Specifiers = Readonly<Record<string, string>>;

const KINDS = ["dependencies", "devDependencies", "optionalDependencies"] as const;

/** Returns a line if the lockfile in a folder does not match the packages of its workspace, and `undefined` if it does. */
export function findStaleLockfile(root: string): string | undefined {
  const locked = readImporters(readFileSync(join(root, "pnpm-lock.yaml"), "utf8"));
  for (const { folder, specifiers, peers } of readWanted(root)) {
    const found = locked[folder] ?? {};
    // A peer that the package has as no other dependency may be locked too.
    const names = [...Object.keys(specifiers), ...Object.keys(found).filter((name) => !peers.includes(name))];
    const wrong = names.find((name) => specifiers[name] !== found[name]);
    if (wrong === undefined) continue;
    const [manifest, lockfile] = [specifiers[wrong], found[wrong]].map((version) =>
      version === undefined ? `does not have ${wrong}` : `has ${wrong} ${version}`,
    );
    return (
      `pnpm-lock.yaml is stale: ${join(folder, "package.json")} ${manifest}, and the lockfile ${lockfile}. ` +
      "Run `npx -y pnpm@12.21.0 install --no-frozen-lockfile`."
    );
  }
  return undefined;
}

/** Returns what each package of the lockfile asks for, by folder and name. */
function readImporters(lockfile: string): Readonly<Record<string, Specifiers>> {
  const [, section = ""] = /^importers:\n(.*?)^(?=\S)/msu.exec(`${lockfile}\nend:`) ?? [];
  const importers: Record<string, Record<string, string>> = {};
  let [folder, name] = ["", ""];
  for (const line of section.split("\n")) {
    const [, indent = "", key = "", value = ""] = /^( *)'?([^':]+)'?: ?(.*)$/u.exec(line) ?? [];
    if (indent.length === 2) importers[(folder = key)] = {};
    else if (indent.length === 6) name = key;
    else if (indent.length === 8 && key === "specifier") (importers[folder] ??= {})[name] = unquote(value);
  }
  return importers;
}

function unquote(text: string): string {
  return text.replace(/^'(.*)'$/u, "$1");
}

interface Wanted {
  readonly folder: string;
  readonly specifiers: Specifiers;
  readonly peers: readonly string[];
}

function readWanted(root: string): readonly Wanted[] {
  const places = readFileSync(join(root, "pnpm-workspace.yaml"), "utf8");
  const [, list = ""] = /^packages: \[(.*)\]$/mu.exec(places) ?? [];
  const patterns = list.split(", ").filter((pattern) => pattern !== "");
  const folders = globSync(
    patterns.map((pattern) => `${pattern}/package.json`),
    { cwd: root },
  ).map((path) => dirname(path));
  return [".", ...folders]
    .filter((folder) => existsSync(join(root, folder, "package.json")))
    .map((folder) => {
      const manifest = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8")) as Record<
        string,
        Specifiers
      >;
      const specifiers = Object.assign({}, ...KINDS.map((kind) => manifest[kind])) as Specifiers;
      return { folder, specifiers, peers: Object.keys(manifest["peerDependencies"] ?? {}) };
    });
}
