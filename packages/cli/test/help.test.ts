/** tests: the help of every verb, at two widths */
import { describe, expect, test } from "vitest";
import { Host } from "../src/verb.ts";
import { VERBS } from "../src/verbs.ts";
import { call } from "./call.ts";

describe("help", () => {
  test.each([80, 140])("CLI5 the help of the command fits a terminal of %i columns", async (columns) => {
    const { exit, stdout, stderr } = await call(["--help"], { columns });
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: "" });
    expect(stdout).toMatchSnapshot();
    expect(Math.max(...stdout.split("\n").map(({ length }) => length))).toBeLessThanOrEqual(columns);
  });

  test.each(VERBS.flatMap(({ name }) => [80, 140].map((columns) => [name, columns] as const)))(
    "CLI5 the help of %s fits a terminal of %i columns, and has an example",
    async (name, columns) => {
      const { exit, stdout } = await call([name, "--help"], { columns });
      expect(exit).toBe(0);
      expect(stdout).toMatchSnapshot();
      const [described = "", examples = ""] = stdout.split("\nExamples:\n");
      expect(Math.max(...described.split("\n").map(({ length }) => length))).toBeLessThanOrEqual(columns);
      if (!(await hasOwnVerbs(name))) expect(examples).toContain(`holdfast ${name}`);
    },
  );

  test.each([
    ["list", "--token", "secret-of-ann"],
    ["list", "--token=secret-of-ann"],
    ["login", "--token=secret-of-ann"],
  ])("CLI2 %s %s is answered with the places for a token, and the token is not shown", async (...args) => {
    const { exit, stderr } = await call(args);
    expect([exit, stderr]).toEqual([2, expect.stringMatching(/HOLDFAST_TOKEN, or .*"holdfast login"/)]);
    expect(stderr).not.toContain("secret-of-ann");
  });

  test("CLI2 an unknown verb and an unknown option are errors of the command line, with the nearest name", async () => {
    const verb = await call(["lst"]);
    expect(verb).toMatchObject({ exit: 2, stdout: "", stderr: expect.stringContaining("Did you mean list?") });
    const option = await call(["list", "--al"]);
    expect(option).toMatchObject({ exit: 2, stdout: "", stderr: expect.stringContaining("--all") });
    expect(await call(["help", "lst"])).toEqual(verb);
    expect(await call(["help", "list"])).toEqual(await call(["list", "--help"]));
    expect((await call([])).exit).toBe(2);
  });
});

async function hasOwnVerbs(name: string): Promise<boolean> {
  const load = VERBS.find((verb) => verb.name === name)?.load;
  return ((await load?.())?.(new Host({} as never)).commands.length ?? 0) > 0;
}
