/** The plain-Node suites of the mutated packages, with one source file replaced (see replace-source.ts). */
import { readFileSync } from "node:fs";
import { defineConfig } from "vitest/config";

const { MUTATED_FILE = "", MUTATED_TEXT = "", MUTATED_SUITES = "" } = process.env;

/** Tests of limits that take seconds each. */
const SLOW = /an endless stream|10,000 unacknowledged|100,000 signals/;

export default defineConfig({
  plugins: [
    {
      name: "replace-source",
      enforce: "pre",
      load: (id) => (id === MUTATED_FILE ? readFileSync(MUTATED_TEXT, "utf8") : undefined),
    },
  ],
  test: {
    include: MUTATED_SUITES.split(","),
    exclude: ["**/node_modules/**", "packages/proof/test/{simulator,soak,conformance,stored-runs}.test.ts"],
    testNamePattern: new RegExp(`^(?!.*(?:${SLOW.source}))`),
    reporters: ["dot"],
    bail: 1,
    isolate: false,
    maxWorkers: 1,
    testTimeout: 20_000,
  },
});
