#!/usr/bin/env node
/**
 * The file that `holdfast` starts. It checks the version of Node before it loads anything that an old one cannot load.
 *
 * Invariant: it imports nothing statically but `node:fs`, and uses no syntax that Node 14 lacks.
 */
import { readFileSync } from "node:fs";

/** Returns the numbers of a version or of a range like `>=22.12`. */
function numbersOf(text: string): readonly number[] {
  return text.replace(/^\D+/u, "").split(".").map(Number);
}

const { engines } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  readonly engines: { readonly node: string };
};
const [major = 0, minor = 0] = numbersOf(engines.node);
const [hasMajor = 0, hasMinor = 0] = numbersOf(process.versions.node);

if (hasMajor > major || (hasMajor === major && hasMinor >= minor)) await import("./main.ts");
else {
  const [needed, has] = [`${major}.${minor}`, process.versions.node];
  console.error(`holdfast needs Node ${needed} or newer, and this is Node ${has}. Install a newer Node.`);
  process.exitCode = 2;
}
