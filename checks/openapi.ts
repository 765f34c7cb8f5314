/** `pnpm openapi`: writes the OpenAPI document and its reference page. A test fails when they are out of date. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { writtenFiles } from "./openapi/written-files.ts";
import { REPOSITORY } from "./source-files.ts";

for (const [path, text] of await writtenFiles()) writeFileSync(join(REPOSITORY, path), text);
