/** What backup.sh and restore.sh do without Holdfast: which folders they refuse, and what they copy. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const WITHOUT_SQLITE = spawnSync("sqlite3", ["--version"]).status !== 0;
const SCRIPTS = join(import.meta.dirname, "..");

const ALARMS =
  "CREATE TABLE _cf_ALARM (actor_id TEXT PRIMARY KEY, scheduled_time INTEGER, actor_name TEXT) WITHOUT ROWID";

let folder: string;
let data: string;
let runs: string;
let target: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "holdfast it's "));
  data = join(folder, "data");
  runs = join(data, "holdfast-runs");
  target = join(folder, "back-up");
  mkdirSync(runs, { recursive: true });
  mkdirSync(join(data, "holdfast-index"));
  makeFile("metadata.sqlite", [ALARMS]).close();
  // A Holdfast that cannot start.
  for (const script of ["backup.sh", "restore.sh", "start.sh"])
    copyFileSync(join(SCRIPTS, script), join(folder, script));
  writeFileSync(join(folder, "holdfast"), "#!/bin/sh\necho 'cannot start' >&2\nexit 3\n");
  for (const script of ["backup.sh", "restore.sh", "start.sh", "holdfast"]) chmodSync(join(folder, script), 0o755);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Makes the file of an object, as workerd does, and returns its open database. */
function makeFile(name: string, statements: readonly string[]): DatabaseSync {
  const database = new DatabaseSync(join(runs, name));
  for (const statement of ["PRAGMA journal_mode = wal", ...statements]) database.exec(statement);
  return database;
}

const idOf = (n: number): string => n.toString(16).padStart(64, "0");
const nameOf = (n: number): string => `${idOf(n)}.sqlite`;

interface Outcome {
  readonly status: number | null;
  readonly stderr: string;
}

function run(script: string, args: readonly string[], more: object = {}): Outcome {
  const env = { PATH: process.env["PATH"] ?? "", HOLDFAST_DATA: data, ...more };
  const { status, stderr } = spawnSync(join(folder, script), args, { env, encoding: "utf8" });
  return { status, stderr };
}

const backUp = (more: object = {}): Outcome => run("backup.sh", [target], more);

/** A folder of programs without some. */
function pathWithout(...missing: readonly string[]): string {
  const bin = join(folder, "bin");
  mkdirSync(bin);
  for (const path of ["/bin", "/usr/bin"])
    for (const name of readdirSync(path))
      if (!missing.includes(name) && !existsSync(join(bin, name))) symlinkSync(join(path, name), join(bin, name));
  return bin;
}

const refusal = (text: string): unknown => ({ status: 1, stderr: expect.stringContaining(text) });

describe.skipIf(WITHOUT_SQLITE)("back-ups", () => {
  test("DUR14 a back-up has the committed rows of open and closed files, leaves no file beside them, and is private", () => {
    const insert = ["CREATE TABLE t (a)", "INSERT INTO t VALUES (1)"];
    makeFile(nameOf(1), insert).close();
    const open = makeFile(nameOf(2), insert);
    open.exec("BEGIN; INSERT INTO t VALUES (2)");
    writeFileSync(join(runs, nameOf(3)), "");
    for (let n = 10; n < 1_200; n++) copyFileSync(join(runs, nameOf(1)), join(runs, nameOf(n)));
    const before = readdirSync(runs);
    expect(backUp()).toMatchObject({ status: 0, stderr: expect.stringContaining("has 1192 runs") });
    expect(readdirSync(runs)).toEqual(before);
    for (const n of [1, 2, 1_199]) {
      const copy = new DatabaseSync(join(target, "holdfast-runs", nameOf(n)));
      expect(copy.prepare("SELECT a FROM t").all()).toEqual([{ a: 1 }]);
      copy.close();
    }
    expect(JSON.parse(readFileSync(join(target, "manifest.json"), "utf8"))).toMatchObject({
      runs: 1_192,
      files: 1_193,
    });
    expect(readdirSync(target).toSorted()).toEqual(["holdfast-index", "holdfast-runs", "manifest.json"]);
    expect(readdirSync(folder)).not.toContain("back-up.unfinished");
    const modes = [target, join(target, "holdfast-runs", nameOf(1))].map((path) => statSync(path).mode & 0o777);
    expect(modes).toEqual([0o700, 0o600]);
    open.close();
  });

  test("DUR14 a back-up has no files of deleted runs and of ids without a run, and does not count them", () => {
    makeFile(nameOf(1), ["CREATE TABLE t (a)"]).close();
    makeFile(nameOf(2), []).close();
    makeFile(nameOf(3), ["CREATE TABLE _cf_METADATA (key INTEGER PRIMARY KEY, value BLOB)"]).close();
    expect(backUp()).toMatchObject({ status: 0, stderr: expect.stringContaining("has 1 runs") });
    expect(readdirSync(join(target, "holdfast-runs"))).toEqual([nameOf(1), "metadata.sqlite"]);
  });

  test("DUR14 a file that cannot be read fails the back-up, which leaves nothing", () => {
    makeFile(nameOf(0), ["CREATE TABLE t (a)"]).close();
    writeFileSync(join(runs, nameOf(1)), "this is no database".repeat(500));
    makeFile(nameOf(2), ["CREATE TABLE t (a)"]).close();
    expect(backUp()).toEqual(refusal(`some files could not be copied, such as ${join(runs, nameOf(1))}.`));
    expect(readdirSync(folder).filter((name) => name.startsWith("back-up"))).toEqual([]);
  });

  test("DUR14 what an interrupted back-up left is replaced", () => {
    mkdirSync(join(`${target}.unfinished`, "holdfast-runs"), { recursive: true });
    writeFileSync(join(`${target}.unfinished`, "holdfast-runs", nameOf(9)), "half");
    expect(backUp().status).toBe(0);
    expect(readdirSync(join(target, "holdfast-runs"))).toEqual(["metadata.sqlite"]);
  });

  test("DUR14 a back-up is refused onto an existing folder, without runs, without sqlite3, and with an old one", () => {
    expect(run("backup.sh", [])).toEqual(refusal("needs one argument"));
    expect(backUp({ HOLDFAST_DATA: folder })).toEqual(refusal("there are no runs in"));
    const bin = pathWithout("sqlite3");
    expect(backUp({ PATH: bin })).toEqual(refusal("sqlite3 is not installed"));
    writeFileSync(join(bin, "sqlite3"), "#!/bin/sh\necho 3.26.0\n");
    chmodSync(join(bin, "sqlite3"), 0o755);
    expect(backUp({ PATH: bin })).toEqual(refusal("sqlite3 3.26.0 is too old"));
    mkdirSync(target);
    expect(backUp()).toEqual(refusal("is never overwritten"));
  });

  test("DUR14 a back-up and a restoration are refused if the disk has too little space for them", () => {
    expect(backUp().status).toBe(0);
    const bin = pathWithout("df");
    const line = "tmpfs 1000 999 3 100% /a disk";
    writeFileSync(join(bin, "df"), `#!/bin/sh\necho header\necho '${line}'\n`, { mode: 0o755 });
    expect(run("backup.sh", [`${target}-2`], { PATH: bin })).toEqual(refusal("kB, and 3 kB are free."));
    const restored = join(folder, "restored");
    expect(run("restore.sh", [target], { HOLDFAST_DATA: restored, PATH: bin })).toEqual(
      refusal("kB, and 3 kB are free."),
    );
    expect(readdirSync(restored)).toEqual([".restoring"]);
  });

  test("DUR14 a restoration is refused from an incomplete back-up and into a folder with files, and says why Holdfast does not start", () => {
    const restored = { HOLDFAST_DATA: join(folder, "restored") };
    mkdirSync(target);
    expect(run("restore.sh", [target], restored)).toEqual(refusal("is no complete back-up"));
    rmSync(target, { recursive: true });
    expect(backUp().status).toBe(0);
    expect(run("restore.sh", [target])).toEqual(refusal("is not empty"));
    expect(run("restore.sh", [target], restored)).toEqual(refusal("Holdfast did not start"));
    expect(run("start.sh", [], restored)).toEqual(refusal("is not completely restored"));
    expect(run("backup.sh", [join(folder, "second")], restored)).toEqual(refusal("is not completely restored"));
    expect(run("backup.sh", [join(folder, "second")]).status).toBe(0);
    const manifest = join(folder, "second", "manifest.json");
    writeFileSync(manifest, readFileSync(manifest, "utf8").replace(/"startedAt": "[^"]*"/, '"startedAt": "later"'));
    expect(run("restore.sh", [join(folder, "second")], restored)).toEqual(refusal("another back-up is restored"));
    rmSync(join(target, "holdfast-runs", "metadata.sqlite"));
    expect(run("restore.sh", [target], restored)).toEqual(refusal("its manifest says 1"));
  });

  test("DUR14 a restoration names damaged files of a back-up, and copies nothing", () => {
    const rows = ["CREATE TABLE t (a)", "INSERT INTO t VALUES (zeroblob(20000))"];
    for (let n = 0; n < 50; n++) makeFile(nameOf(n), rows).close();
    expect(backUp().status).toBe(0);
    const copyOf = (n: number): string => join(target, "holdfast-runs", nameOf(n));
    truncateSync(copyOf(10), 0);
    truncateSync(copyOf(20), 8_192);
    writeFileSync(copyOf(30), "this is no database".repeat(500));
    const restored = join(folder, "restored");
    const { status, stderr } = run("restore.sh", [target], { HOLDFAST_DATA: restored });
    expect([status, stderr]).toEqual([1, expect.stringContaining(`3 files of ${target} are damaged`)]);
    for (const n of [10, 20, 30]) expect(stderr).toContain(`holdfast-runs/${nameOf(n)}`);
    expect(readdirSync(restored)).toEqual([]);
    // As the message says.
    for (const n of [10, 20, 30]) rmSync(copyOf(n));
    const manifest = readFileSync(join(target, "manifest.json"), "utf8");
    writeFileSync(join(target, "manifest.json"), manifest.replace('"files": 51', '"files": 48'));
    expect(run("restore.sh", [target], { HOLDFAST_DATA: restored })).toEqual(refusal("Holdfast did not start"));
    expect(readdirSync(join(restored, "holdfast-runs"))).toHaveLength(48);
  });

  test("DUR14 a restoration ends what an interrupted one left, however far its process is, and from wherever it was started", async () => {
    const restored = join(folder, "restored");
    expect(backUp().status).toBe(0);
    expect(run("restore.sh", [target], { HOLDFAST_DATA: restored })).toEqual(refusal("cannot start"));
    const holdsTheLock = 'exec 9>"$0/.lock" && flock 9 && echo && exec sleep 60 >&-';
    const left = spawn("sh", ["-c", holdsTheLock, restored], { stdio: ["ignore", "pipe", "ignore"] });
    const gone = once(left, "exit");
    await once(left.stdout, "data");
    expect(run("restore.sh", [target], { HOLDFAST_DATA: restored })).toEqual(refusal("cannot start"));
    expect(await gone).toEqual([null, "SIGTERM"]);
  });

  test("DUR14 a restoration says why Holdfast did not start, also if the log is written late", () => {
    expect(backUp().status).toBe(0);
    const bin = pathWithout("awk");
    writeFileSync(join(bin, "awk"), '#!/bin/sh\nsleep 0.5\nexec /usr/bin/awk "$@"\n', { mode: 0o755 });
    const env = { PATH: bin, HOLDFAST_DATA: join(folder, "restored") };
    expect(run("restore.sh", [target], env)).toEqual(refusal("cannot start"));
  });

  test("DUR14 SEC1 a restoration shows its token to no other user, and the settings of a user do not change it", () => {
    const { requests, env } = fakeHoldfast();
    writeFileSync(join(folder, ".sqliterc"), ".headers on\n.mode box\n");
    makeFile(nameOf(1), ["CREATE TABLE t (a)"]).close();
    expect(backUp(env).status).toBe(0);
    const restored = { ...env, HOLDFAST_DATA: join(folder, "restored") };
    expect(run("restore.sh", [target], restored)).toMatchObject({
      status: 0,
      stderr: expect.stringContaining("1 runs of 1"),
    });
    const [call = ""] = requests("calls");
    expect(call).toMatch(/^-q .*--noproxy \*/);
    expect(call).not.toMatch(/[0-9a-f]{64}/);
    expect(requests("settings")).toEqual([expect.stringMatching(/^header = "Authorization: Bearer [0-9a-f]{64}"$/)]);
  });

  test("DUR14 with few open files a restoration visits fewer runs at a time", () => {
    const { requests, env } = fakeHoldfast();
    makeFile(nameOf(1), ["CREATE TABLE t (a)"]).close();
    for (let n = 2; n <= 40; n++) copyFileSync(join(runs, nameOf(1)), join(runs, nameOf(n)));
    expect(backUp().status).toBe(0);
    const command = `ulimit -n 2040 && exec "$0" "$1"`;
    const restored = { ...env, HOLDFAST_DATA: join(folder, "restored") };
    const { status } = spawnSync("sh", ["-c", command, join(folder, "restore.sh"), target], { env: restored });
    expect(status).toBe(0);
    expect(requests("bodies").map((body) => (JSON.parse(body) as { objectIds: string[] }).objectIds.length)).toEqual(
      expect.toSatisfy((sizes: number[]) => Math.max(...sizes) === 32 && sizes.length === 2),
    );
  });

  test("DUR14 a restoration may go to the root of a disk", () => {
    const { env } = fakeHoldfast();
    expect(backUp().status).toBe(0);
    mkdirSync(join(folder, "disk", "lost+found"), { recursive: true });
    expect(run("restore.sh", [target], { ...env, HOLDFAST_DATA: join(folder, "disk") })).toMatchObject({ status: 0 });
  });

  test("DUR14 a back-up may have any name, and may be moved", () => {
    makeFile(nameOf(1), ["CREATE TABLE t (a)"]).close();
    const strange = join(folder, "it's\n a 'back-up' %41?#");
    expect(run("backup.sh", [`${strange}//`]).status).toBe(0);
    renameSync(strange, target);
    expect(JSON.parse(readFileSync(join(target, "manifest.json"), "utf8"))).toMatchObject({ runs: 1, files: 2 });
    expect(run("backup.sh", [""])).toEqual(refusal("needs the name of a new folder"));
  });
});

describe.skipIf(WITHOUT_SQLITE)("limits, schedules, events, topics and windows", () => {
  test("DUR14 limits and schedules are in a back-up, and come back with the alarms in their own files", () => {
    makeFile(nameOf(1), ["CREATE TABLE t (a)"]).close();
    const coordinators = join(data, "holdfast-coordinators");
    mkdirSync(coordinators);
    copyFileSync(join(runs, nameOf(1)), join(coordinators, nameOf(2)));
    const alarmAt = (at: string): string[] => [
      "CREATE TABLE _cf_KV (key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID",
      "CREATE TABLE _cf_METADATA (key INTEGER PRIMARY KEY, value BLOB)",
      `INSERT INTO _cf_METADATA VALUES (1, ${at})`,
    ];
    for (const [n, at] of [
      [3, "1798433004842000000"],
      [4, "5"],
      [5, "NULL"],
    ] as const) {
      makeFile(nameOf(n), alarmAt(at)).close();
      renameSync(join(runs, nameOf(n)), join(coordinators, nameOf(n)));
    }
    // Three alarms of other moments, and none of 3.
    makeFile(
      "metadata.sqlite",
      [2, 4, 5].map((n) => `INSERT INTO _cf_ALARM VALUES ('${idOf(n)}', 9, 'n${n}')`),
    ).close();
    renameSync(join(runs, "metadata.sqlite"), join(coordinators, "metadata.sqlite"));
    makeFile("metadata.sqlite", [ALARMS]).close();
    expect(backUp()).toMatchObject({ status: 0 });
    const copied = [2, 3, 4, 5].map(nameOf).concat("metadata.sqlite");
    expect(readdirSync(join(target, "holdfast-coordinators")).toSorted()).toEqual(copied);
    rmSync(data, { recursive: true });
    expect(run("restore.sh", [target])).toEqual(refusal("cannot start"));
    expect(readdirSync(coordinators).toSorted()).toEqual(copied);
    const alarms = new DatabaseSync(join(coordinators, "metadata.sqlite"));
    const rows = alarms.prepare(
      "SELECT actor_id, CAST(scheduled_time AS TEXT) AS at, actor_name AS name FROM _cf_ALARM",
    );
    expect(rows.all()).toEqual([
      { actor_id: idOf(2), at: "9", name: "n2" },
      { actor_id: idOf(3), at: "1798433004842000000", name: null },
      { actor_id: idOf(4), at: "5", name: "n4" },
      { actor_id: idOf(5), at: "9", name: "n5" },
    ]);
    alarms.close();
  });

  test("DUR14 WIN1 SCH4 a window or a schedule is of a moment before the list of runs, and an event of a moment after it", () => {
    const coordinators = join(data, "holdfast-coordinators");
    mkdirSync(coordinators);
    const bin = join(folder, "programs");
    mkdirSync(bin);
    // Before each list of files, what is in both folders grows.
    const find = `#!/bin/sh
case $PWD in *holdfast-*) case $PWD in *unfinished*) ;; *)
  n=$(cat "$0.n" 2>/dev/null || echo 0)
  echo $((n + 1)) >"$0.n"
  cp "${join(folder, "empty")}" "${coordinators}/coordinator-$n.sqlite"
  cp "${join(folder, "empty")}" "${runs}/run-$n.sqlite" ;;
esac ;; esac
exec /usr/bin/find "$@"
`;
    writeFileSync(join(bin, "find"), find, { mode: 0o755 });
    makeFile("empty", ["CREATE TABLE t (a)"]).close();
    renameSync(join(runs, "empty"), join(folder, "empty"));
    expect(backUp({ PATH: `${bin}:${process.env["PATH"] ?? ""}` })).toMatchObject({ status: 0 });
    const of = (name: string): string[] => readdirSync(join(target, name)).toSorted();
    // The lists: coordinators, runs, coordinators again.
    expect(of("holdfast-runs")).toEqual(["metadata.sqlite", "run-0.sqlite", "run-1.sqlite"]);
    expect(of("holdfast-coordinators")).toEqual([0, 1, 2].map((n) => `coordinator-${n}.sqlite`));
  });
});

/** A Holdfast and a curl that record the requests of a restoration. Each request finds one run. */
function fakeHoldfast(): {
  readonly requests: (kind: "calls" | "settings" | "bodies") => string[];
  readonly env: Record<string, string>;
} {
  const bin = join(folder, "fakes");
  mkdirSync(bin);
  const holdfast = '#!/bin/sh\necho \'{"event": "listen", "port": 1}\' >&3\nexec sleep 60\n';
  const curl = `#!/bin/sh
echo "$*" >>"$0.calls"
while [ $# -gt 0 ]; do
  case $1 in
    -o) echo '{"told":1,"unknown":0}' >"$2" ;;
    -K) cat "$2" >>"$0.settings" ;;
    --data-binary) { cat "\${2#@}" && echo; } >>"$0.bodies" ;;
  esac
  shift
done
printf 202
`;
  for (const [path, text] of [
    [join(folder, "holdfast"), holdfast],
    [join(bin, "curl"), curl],
  ] as const) {
    writeFileSync(path, text);
    chmodSync(path, 0o755);
  }
  return {
    requests: (kind) =>
      readFileSync(join(bin, `curl.${kind}`), "utf8")
        .split("\n")
        .filter((line) => line !== ""),
    env: {
      PATH: `${bin}:${process.env["PATH"] ?? ""}`,
      HOME: folder,
      HOLDFAST_DATA: data,
    },
  };
}
