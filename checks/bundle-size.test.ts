/** Checks the size of the author's package in a bundle. */
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { expect, test } from "vitest";
import { REPOSITORY } from "./source-files.ts";

/**
 * Bound on the package's own code, including the replay engine, bytes: what it has now, and room for small changes. More
 * code first needs to leave: what only a host, a test or a step handler outside of workerd uses is a part of its platform.
 */
const OWN_BYTES_MAX = 20_650;

/** The same for the package with the values codec, its only run-time dependency, bytes. */
const ALL_BYTES_MAX = 24_370;

const CODEC = "devalue";

async function bundle(external: string[]): Promise<{ bytes: number; imports: string[] }> {
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
    external,
  });
  const code = outputFiles[0]?.contents ?? new Uint8Array();
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports.map(({ path }) => path));
  return { bytes: gzipSync(code, { level: 9 }).length, imports };
}

test(`the authoring entry is under ${OWN_BYTES_MAX} bytes, minified and gzipped, and imports only the codec`, async () => {
  const { bytes, imports } = await bundle([CODEC]);
  console.log(`@holdfast/workflows: ${bytes} bytes gzipped without the codec`);
  expect(bytes).toBeGreaterThan(1_000);
  expect(bytes).toBeLessThan(OWN_BYTES_MAX);
  expect(new Set(imports)).toEqual(new Set([CODEC]));
});

test(`the authoring entry and the codec together are under ${ALL_BYTES_MAX} bytes and import nothing`, async () => {
  const { bytes, imports } = await bundle([]);
  console.log(`@holdfast/workflows: ${bytes} bytes gzipped with the codec`);
  expect(bytes).toBeLessThan(ALL_BYTES_MAX);
  expect(imports).toEqual([]);
});
