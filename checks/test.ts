/**
 * `pnpm test`: type check, lint, format, then every test. Stops at the first that fails.
 */
import { spawnSync } from "node:child_process";

const STAGES: readonly (readonly [what: string, command: string, ...args: string[]])[] = [
  ["types", "tsc", "-b"],
  ["lint", "oxlint", "--deny-warnings"],
  ["format", "oxfmt", "--check", "."],
  ["tests", "vitest", "run"],
];

for (const [what, command, ...args] of STAGES) {
  console.log(`\n── ${what}: ${command} ${args.join(" ")}`);
  const { status } = spawnSync(command, args, { stdio: "inherit" });
  if (status !== 0) {
    if (what !== "tests") console.log(`The check "${what}" failed, so no test was run.\n0 passed, 1 failed, 0 skipped`);
    process.exit(status ?? 1);
  }
}
