/**
 * Follows every how-to page that has a program: its commands do what the page shows, its tests included.
 */
import { afterAll, expect, test } from "vitest";
import { stopAll } from "../packed/processes.ts";
import { PROGRAMS, followProgram } from "./program.ts";

afterAll(stopAll);

test.each(PROGRAMS)("every command of %s does what the page shows", { timeout: 120_000 }, async (page) => {
  expect(await followProgram(page)).toEqual([]);
});
