/** Rejections that nothing handles, in real Node processes: those of a run, and those of the host (REP7). */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

const FILE = fileURLToPath(new URL("rejecting-process.ts", import.meta.url));

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function execute(options: readonly string[], cases: readonly string[]): Ended {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...options, FILE, ...cases], { encoding: "utf8" });
  // Stacks and ids depend on what happened before.
  return { status, stdout, stderr: stderr.replaceAll(/\(node:\d+\)|\(rejection id: \d+\)|^ +at .*\n/gm, "") };
}

const MODES = ["throw", "strict", "warn", "none", "warn-with-error-code"].map(
  (mode) => `--unhandled-rejections=${mode}`,
);

describe("a rejection of the host, while a run exists", () => {
  test.each([
    ...MODES.map((mode) => ({ options: [mode], cases: ["reject"] })),
    { options: [], cases: ["reject"] },
    { options: [], cases: ["reject-text"] },
    { options: [], cases: ["reject", "uncaught"] },
    { options: [], cases: ["sole", "reject"] },
    { options: [], cases: ["sole", "reject", "reject-text"] },
  ])("REP7 has the same effect as without the run: $cases with the options $options", ({ options, cases }) => {
    expect(execute(options, ["run", ...cases])).toEqual(execute(options, cases));
  });

  test("REP7 ends the process without an option, and reaches only the host's listener if there is one", () => {
    expect(execute([], ["run", "reject"])).toMatchObject({ status: 1, stdout: "" });
    expect(execute([], ["run", "reject", "listener"])).toEqual({
      status: 0,
      stdout: "listener: Error: of the host\nalive\n",
      stderr: "",
    });
  });
});

test("REP7 Vitest reports a rejection of a test while a run exists, and none of a run", () => {
  expect(execute([], ["run", "sole", "reject"]).stdout).toBe("sole: Error: of the host\nalive\n");
  expect(execute([], ["run", "sole", "helper"]).stdout).toBe("logged: run-1\nalive\n");
});

describe("a rejection of a run", () => {
  test("REP7 leaves the process alive, is logged once with the run's id, and reaches a listener of the host too", () => {
    const alive = { status: 0, stdout: "logged: run-1\nalive\n", stderr: "" };
    expect(execute([], ["run", "helper"])).toEqual(alive);
    expect(execute(["--unhandled-rejections=none"], ["run", "helper"])).toEqual(alive);
    const seen = execute([], ["run", "helper", "listener"]);
    expect(seen).toEqual({ ...alive, stdout: `listener: CancelledError: The run was cancelled.\n${alive.stdout}` });
  });

  test("REP7 what listeners of a run's signals throw, of every form, leaves the process alive and is logged", () => {
    const { status, stdout, stderr } = execute([], ["run", "abort", "helper"]);
    expect([status, stdout, stderr]).toEqual([0, "logged: run-1,run-1,run-1,run-1,run-1\nalive\n", ""]);
  });

  test("REP7 leaves the process alive when the host rejects a promise in the same turn, if the host survives that", () => {
    const { status, stdout } = execute([], ["run", "reject", "uncaught", "helper"]);
    expect([status, stdout.split("\n").toSorted()]).toEqual([
      0,
      ["", "alive", "logged: run-1", "uncaught: Error: of the host, unhandledRejection"],
    ]);
  });
});

describe("the listener", () => {
  beforeEach(() => {
    vi.useFakeTimers();
    vi.resetModules();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test("REP7 is installed once for all executions and copies of the package, and removed after the last execution", async () => {
    const before = process.listenerCount("unhandledRejection");
    const { guardRejections } = await copy();
    vi.resetModules();
    const { guardRejections: guardOfCopy } = await copy();
    expect(guardOfCopy).not.toBe(guardRejections);
    const releases = [guardRejections(), guardRejections(), guardOfCopy()];
    expect(process.listenerCount("unhandledRejection")).toBe(before + 1);
    for (const release of releases) {
      vi.advanceTimersByTime(10_000);
      expect(process.listenerCount("unhandledRejection")).toBe(before + 1);
      release();
    }
    // Code that was aborted may reject promises for a while.
    vi.advanceTimersByTime(1_000);
    expect(process.listenerCount("unhandledRejection")).toBe(before + 1);
    guardRejections()();
    vi.advanceTimersByTime(10_000);
    expect(process.listenerCount("unhandledRejection")).toBe(before);
  });

  test("REP7 takes each rejection in Bun, which does not say whose it is, unless the host has a listener", async () => {
    const { guardRejections } = await copy();
    const written = vi.spyOn(console, "log").mockReturnValue();
    const off = vi.fn();
    const prependListener = vi.fn<(event: string, listener: (reason: unknown) => void) => void>();
    const listenerCount = vi.fn(() => 1);
    const release = guardRejections({ versions: { bun: "1.4.5" }, off, prependListener, listenerCount });
    const listener = prependListener.mock.lastCall?.[1];
    listener?.(new Error("of someone"));
    expect(written.mock.lastCall?.[0]).toContain("of someone");
    expect(off).not.toHaveBeenCalled();
    listenerCount.mockReturnValue(2);
    listener?.(new Error("of the host"));
    expect(off).toHaveBeenCalledWith("unhandledRejection", listener);
    expect(written).toHaveBeenCalledOnce();
    release();
    written.mockRestore();
  });
});

function copy(): Promise<typeof import("../src/replay/unhandled-rejections.ts")> {
  return import("../src/replay/unhandled-rejections.ts");
}
