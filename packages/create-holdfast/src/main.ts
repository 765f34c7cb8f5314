#!/usr/bin/env node
/**
 * The command `create-holdfast`.
 *
 * Owns: the check of the current folder, and of the version of Node, before any module is loaded that an older Node cannot load. A project's scripts
 * execute TypeScript with Node's own removal of types: 22.18, 23.6 and every later version have it.
 */
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);

function currentFolder(): string | undefined {
  try {
    return process.cwd();
  } catch {
    return undefined;
  }
}

const cwd = currentFolder();

if (cwd === undefined) {
  console.error(
    "create-holdfast: this folder does not exist any more. Change to another one, then repeat the command.",
  );
  process.exitCode = 1;
} else if (major > 23 || (major === 23 && minor >= 6) || (major === 22 && minor >= 18)) {
  const { main } = await import("./command.ts");
  const { stdin, stdout, stderr } = process;
  process.exitCode = await main(process.argv.slice(2), {
    cwd,
    env: process.env,
    terminal: stdin.isTTY && stdout.isTTY ? { input: stdin, output: stdout } : undefined,
    print: (text) => stdout.write(text),
    printError: (text) => stderr.write(text),
  });
} else {
  console.error(
    `create-holdfast needs Node.js 22.18 or newer, and this is ${process.version}. Get it from https://nodejs.org.`,
  );
  process.exitCode = 1;
}
