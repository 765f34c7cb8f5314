/** Checks what the author's package costs whoever bundles it. */
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { expect, test } from "vitest";
import { REPOSITORY } from "./source-files.ts";

const BUDGET_BYTES = 15_000;

const { metafile, outputFiles } = await build({
  entryPoints: [join(REPOSITORY, "packages/workflows/src/index.ts")],
  absWorkingDir: REPOSITORY,
  bundle: true,
  minify: true,
  format: "esm",
  platform: "neutral",
  target: "es2023",
  metafile: true,
  write: false,
});

test(`@holdfast/workflows is under ${BUDGET_BYTES} bytes, minified and gzipped`, () => {
  const code = outputFiles[0]?.contents ?? new Uint8Array();
  const bytes = gzipSync(code, { level: 9 }).length;
  console.log(`@holdfast/workflows: ${bytes} bytes gzipped, ${code.length} minified`);
  expect(code.length).toBeGreaterThan(0);
  expect(bytes).toBeLessThan(BUDGET_BYTES);
});

test("@holdfast/workflows imports nothing at run time", () => {
  expect(Object.values(metafile.outputs).flatMap((output) => output.imports)).toEqual([]);
});
