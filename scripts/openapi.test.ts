/** Checks that the OpenAPI document is of this code, and that it has every route, and no other. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { api } from "../packages/orchestrator-cloudflare/src/api/routes.ts";
import { OPERATIONS } from "./openapi/operations.ts";
import { writtenFiles } from "./openapi/written-files.ts";
import { REPOSITORY } from "./source-files.ts";

test("what pnpm openapi writes is what is there", async () => {
  for (const [path, text] of await writtenFiles()) {
    expect(readFileSync(join(REPOSITORY, path), "utf8") === text, `${path} is of other code. Run: pnpm openapi`).toBe(
      true,
    );
  }
});

test("the document has every route of the API, and no other", () => {
  const routes = api.routes.filter(({ method }) => method !== "ALL").map(({ method, path }) => `${method} ${path}`);
  const documented = OPERATIONS.map(({ verb, path }) => `${verb.toUpperCase()} ${path}`);
  expect([...new Set(documented)].toSorted()).toEqual([...new Set(routes)].toSorted());
});
