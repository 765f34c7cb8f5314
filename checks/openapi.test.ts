/** Checks that the OpenAPI document and its reference page are made from the routes of this code. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { writtenFiles } from "./openapi/written-files.ts";
import { REPOSITORY } from "./source-files.ts";

test("what pnpm openapi writes is what is there", async () => {
  for (const [path, text] of await writtenFiles()) {
    expect(readFileSync(join(REPOSITORY, path), "utf8") === text, `${path} is of other code. Run: pnpm openapi`).toBe(
      true,
    );
  }
});
