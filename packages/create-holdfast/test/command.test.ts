/** The command: its arguments, its refusals, and what it prints. */
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { PACKAGE, type Ran, callCommand, emptyFolder, runCommand } from "./run-command.ts";

let cwd: string;

beforeEach(() => {
  cwd = emptyFolder();
});

afterEach(() => rmSync(cwd, { recursive: true }));

const create = (...args: string[]) => callCommand(args, { cwd });
const read = (path: string): string => readFileSync(join(cwd, path), "utf8");
const manifestOf = (folder: string) =>
  JSON.parse(read(`${folder}/package.json`)) as {
    readonly name: string;
    readonly scripts: Readonly<Record<string, string>>;
    readonly dependencies: Readonly<Record<string, string>>;
    readonly devDependencies: Readonly<Record<string, string>>;
  };

/** One line on standard error says why nothing is written. */
function expectRefusal(ran: Ran, message: string, status = 1): void {
  expect(ran).toMatchObject({ status, stdout: "", stderr: expect.stringContaining(message) });
  expect(ran.stderr.trimEnd().split("\n")).toHaveLength(1);
}

test("without a terminal it asks nothing, and ends with the three commands to type", async () => {
  const { status, stdout, stderr } = await create();
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout).toMatch(/\n {2}cd my-app\n {2}npm install\n {2}npm run dev\n$/);
  expect(readdirSync(cwd)).toEqual(["my-app"]);
  expect(readdirSync(join(cwd, "my-app")).toSorted()).toEqual(
    [".gitignore", "README.md", "package.json", "src", "test", "tsconfig.json", "wrangler.jsonc"].toSorted(),
  );
  expect(statSync(join(cwd, "my-app")).mode & 0o777).toBe(0o777 & ~process.umask());
});

test.each(["worker", "node", "both"])(
  "--%s: the folder's name is everywhere, and versions are the release's",
  async (kind) => {
    expect(await create("apps/shop-2", `--${kind}`)).toMatchObject({ status: 0, stderr: "" });
    const { name, scripts, dependencies, devDependencies } = manifestOf("apps/shop-2");
    const { version } = JSON.parse(readFileSync(join(PACKAGE, "package.json"), "utf8")) as { version: string };
    expect(name).toBe("shop-2");
    expect(scripts).toMatchObject({ dev: expect.any(String), test: "node --test", typecheck: "tsc" });
    expect(Object.hasOwn(scripts, "deploy")).toBe(kind !== "node");
    expect({ ...dependencies, ...devDependencies }).toMatchObject({
      "@holdfast/workflows": version,
      "@holdfast/cli": version,
      workerd: expect.stringMatching(/^1\.\d+\.\d+$/),
      esbuild: expect.stringMatching(/^\d+\.\d+\.\d+$/),
    });
    const files = readdirSync(join(cwd, "apps/shop-2"), { recursive: true, withFileTypes: true });
    for (const file of files.filter((one) => one.isFile()))
      expect(readFileSync(join(file.parentPath, file.name), "utf8")).not.toContain("holdfast-starter");
    expect(read("apps/shop-2/.gitignore")).toContain(".holdfast/");
  },
);

test.each([
  ["a blank", "my app", "my-app"],
  ["capitals", "MyApp", "myapp"],
  ["letters outside ASCII", "Bücherei", "bucherei"],
  ["no letter at all", "日本", "my-app"],
  ["a quote", "a'b\"c", "a-b-c"],
  ["a line break", "a\nb", "a-b"],
  ["a hyphen at its end", "app-", "app"],
  ["a scope", "@me/App", "app"],
  ["no character", "", "my-app"],
  ["more than 54 characters", "a".repeat(55), "a".repeat(54)],
  ["the name of the installed packages", "node_modules", "my-app"],
])("a name with %s is refused, and one that works is proposed", async (_what, name, proposed) => {
  const ran = await create(name);
  expectRefusal(ran, "cannot name a project");
  expect(ran.stderr).toContain(`such as "${proposed}"`);
  expect(readdirSync(cwd)).toEqual([]);
});

test.each(["..", "../", "../outside", "a/../../outside"])(
  "%s leads out of the folder, and is refused",
  async (name) => {
    expectRefusal(await create(name), "leads out of this folder");
    expect(existsSync(join(dirname(cwd), "outside"))).toBe(false);
  },
);

test("a folder with files, a file, and a path through a file are refused", async () => {
  mkdirSync(join(cwd, "full"));
  writeFileSync(join(cwd, "full/a.txt"), "mine");
  writeFileSync(join(cwd, "file"), "mine");
  symlinkSync("nowhere", join(cwd, "link"));
  expectRefusal(await create("full"), '"full" is not empty');
  expectRefusal(await create("."), '"." is not empty');
  expectRefusal(await create("file"), '"file" is a file');
  expectRefusal(await create("file/app"), "a part of the path is a file (ENOTDIR)");
  expectRefusal(await create("link"), "a part of the path is a file (ENOTDIR)");
  expect(readdirSync(cwd).toSorted()).toEqual(["file", "full", "link"]);
  expect(readdirSync(join(cwd, "full"))).toEqual(["a.txt"]);
});

test.skipIf(process.platform !== "linux")(
  "a folder that the file system cannot make, and one below a link to nowhere, are refused at once",
  async () => {
    symlinkSync("nowhere", join(cwd, "link"));
    for (const folder of ["/proc/app", "/proc/deep/er/app"])
      expectRefusal(await create(folder), "a part of the path leads to no folder (ENOENT)");
    expectRefusal(await create("link/app"), "a link to nothing (EEXIST)");
    expect(readdirSync(cwd)).toEqual(["link"]);
  },
);

test("a current folder that was removed is named in one line", () => {
  const removed = join(cwd, "removed");
  mkdirSync(removed);
  const script = 'cd "$0" && rmdir "$0" && exec "$@"';
  const command = [process.execPath, join(PACKAGE, "src/main.ts"), "app"];
  const { status, stdout, stderr } = spawnSync("sh", ["-c", script, removed, ...command], { encoding: "utf8" });
  expectRefusal({ status, stdout, stderr }, "this folder does not exist any more");
});

test("an empty folder, and one that only has a repository, are used as they are", async () => {
  mkdirSync(join(cwd, "empty"));
  mkdirSync(join(cwd, "cloned/.git"), { recursive: true });
  expect((await create("empty/")).stdout).toContain("\n  cd empty\n");
  expect((await create("cloned")).status).toBe(0);
  expect(readdirSync(join(cwd, "cloned"))).toContain(".git");
  mkdirSync(join(cwd, "Über uns"));
  const here = await callCommand(["."], { cwd: join(cwd, "Über uns") });
  expect(here.stdout).toMatch(/\n {2}npm install\n {2}npm run dev\n {2}npm run test\n$/);
  expect(manifestOf("Über uns").name).toBe("uber-uns");
});

test("the command for a path with blanks can be pasted into a shell", async () => {
  expect((await create(join(cwd, "app"))).stdout).toContain(
    `  cd '${join(cwd, "app").replaceAll("'", String.raw`'\''`)}'\n`,
  );
});

test("a package.json above does not matter", async () => {
  writeFileSync(join(cwd, "package.json"), '{ "workspaces": ["*"], "type": "commonjs" }');
  expect((await create("app")).status).toBe(0);
  expect(manifestOf("app").name).toBe("app");
});

test.each([
  [["--frob"], "unknown option '--frob'. See create-holdfast --help."],
  [["-x"], "unknown option '-x'. See create-holdfast --help."],
  [["--worker=yes"], "'--worker' does not take an argument. See create-holdfast --help."],
  [["my", "app"], 'give one folder, not 2 ("my", "app"). See create-holdfast --help.'],
  [["app", "--node", "--worker"], "--worker and --node exclude each other. See create-holdfast --help."],
  [["app", "--install", "--no-install"], "--install and --no-install exclude each other. See create-holdfast --help."],
])("%j is refused with the way to the help", async (args, message) => {
  expectRefusal(await create(...args), message, 2);
  expect(readdirSync(cwd)).toEqual([]);
});

test("--help names every option, --version prints the version; both write nothing", async () => {
  const { stdout } = await create("--help", "app");
  for (const option of ["folder", "--worker", "--node", "--both", "--yes", "--install", "--no-install", "--version"])
    expect(stdout).toContain(option);
  expect((await create("-v")).stdout).toMatch(/^\d+\.\d+\.\d+\S*\n$/);
  expect(readdirSync(cwd)).toEqual([]);
});

test("options that npm takes for its own are found in its environment", async () => {
  const env = { npm_config_node: "true", npm_config_yes: "true" };
  expect((await callCommand(["app"], { cwd, env })).status).toBe(0);
  expect(manifestOf("app").scripts["start"]).toBe("node src/server.ts");
});

test.each([
  ["npm/11.19.1 node/v26.10.0 linux x64 workspaces/false", "npm install", "npm run dev", "npx holdfast list", []],
  [
    "pnpm/12.21.0 npm/? node/v26.10.0 linux x64",
    "pnpm install",
    "pnpm run dev",
    "pnpm exec holdfast list",
    ["pnpm-workspace.yaml"],
  ],
  [
    "yarn/4.9.1 npm/? node/v26.10.0 linux x64",
    "yarn install",
    "yarn dev",
    "yarn holdfast list",
    [".yarnrc.yml", "yarn.lock"],
  ],
  ["bun/1.3.1 npm/? node/v24.3.0 linux x64", "bun install", "bun run dev", "bunx holdfast list", []],
  ["deno/2.5.6 npm/? deno/2.5.6 linux x64", "npm install", "npm run dev", "npx holdfast list", []],
])("started by %s it names the command %s", async (agent, install, dev, list, files) => {
  const { stdout } = await callCommand(["app"], { cwd, env: { npm_config_user_agent: agent } });
  expect(stdout).toContain(`\n  cd app\n  ${install}\n  ${dev}\n`);
  const readme = read("app/README.md");
  expect(readme).toContain(list);
  expect(readme).toContain(`${dev} `);
  expect(readme).toContain(`${dev.replace("dev", "deploy")} `);
  if (!install.startsWith("npm")) expect(readme).not.toMatch(/\bnpm run|\bnpx /);
  expect(readdirSync(join(cwd, "app"))).toEqual(expect.arrayContaining(files));
});

test.each(["16.20.2", "20.20.2", "22.17.1", "23.5.0"])(
  "Node %s, which cannot run TypeScript, is refused",
  (version) => {
    const first = `Object.defineProperties(process, {
    version: { value: "v${version}" }, versions: { value: { ...process.versions, node: "${version}" } },
  })`;
    expectRefusal(runCommand(["app"], { cwd, first }), `needs Node.js 22.18 or newer, and this is v${version}`);
    expect(readdirSync(cwd)).toEqual([]);
  },
);

test("--install that fails says that the project is complete", async () => {
  const cache = join(cwd, ".npm");
  const env = { npm_config_registry: "http://127.0.0.1:1/", npm_config_fetch_retries: "0", npm_config_cache: cache };
  const ran = runCommand(["app", "--install"], { cwd, env });
  expect(ran.status).toBe(1);
  expect(ran.stderr).toContain('create-holdfast: npm install failed. The project is complete: repeat it in "app".');
  expect(existsSync(join(cwd, "app/package.json"))).toBe(true);
});
