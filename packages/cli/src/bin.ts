#!/usr/bin/env node
/**
 * The file that `holdfast` starts. It checks the version of Node before it loads anything that an old one cannot load.
 *
 * Invariant: it imports nothing statically but `node:fs`, and uses no syntax that Node 14 lacks.
 */
import { readFileSync } from "node:fs";

const { engines } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  readonly engines: { readonly node: string };
};
const needed = Number(/\d+/u.exec(engines.node)?.[0]);

if (Number(process.versions.node.split(".")[0]) >= needed) await import("./main.ts");
else {
  console.error(
    `holdfast needs Node ${needed} or newer, and this is Node ${process.versions.node}. Install a newer Node.`,
  );
  process.exitCode = 2;
}
