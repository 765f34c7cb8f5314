/** `pnpm docs:generate`: writes the generated pages of docs/. A test fails when they are out of date. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DOCS } from "./pages.ts";
import { writtenPages } from "./reference/written-pages.ts";

for (const [path, text] of await writtenPages()) {
  mkdirSync(dirname(join(DOCS, path)), { recursive: true });
  writeFileSync(join(DOCS, path), text);
}
