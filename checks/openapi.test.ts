/** Checks that the OpenAPI document and its reference page are up to date with the routes. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { writtenFiles } from "./openapi/written-files.ts";
import { REPOSITORY } from "./source-files.ts";

test("the files that pnpm openapi writes are up to date", async () => {
  for (const [path, text] of await writtenFiles()) {
    expect(readFileSync(join(REPOSITORY, path), "utf8") === text, `${path} is out of date. Run: pnpm openapi`).toBe(
      true,
    );
  }
});

test("API1 the document says that a webhook has a body", () => {
  const { paths } = JSON.parse(readFileSync(join(REPOSITORY, "docs/openapi.json"), "utf8"));
  expect(paths["/hooks/{source}"].post.requestBody.content).toHaveProperty(["application/json", "schema"]);
});
