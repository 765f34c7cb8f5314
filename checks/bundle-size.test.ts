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
const OWN_BYTES_MAX = 23_390;

/** The bytes that the cipher of `ctx.random` may add. */
const CIPHER_BYTES_MAX = 2_500;

/** The bound with the values codec and without the cipher, bytes. */
const CODEC_BYTES_MAX = 27_060;

const CODEC = "devalue";
const CIPHER = "@noble/ciphers/chacha.js";

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

test(`the authoring entry is under ${OWN_BYTES_MAX} bytes, minified and gzipped, and imports only the codec and the cipher`, async () => {
  const { bytes, imports } = await bundle([CODEC, CIPHER]);
  console.log(`@holdfast/workflows: ${bytes} bytes gzipped without the codec and the cipher`);
  expect(bytes).toBeGreaterThan(1_000);
  expect(bytes).toBeLessThan(OWN_BYTES_MAX);
  expect(new Set(imports)).toEqual(new Set([CODEC, CIPHER]));
});

test(`the codec and the cipher add at most what is agreed, and import nothing`, async () => {
  const [withCodec, all] = await Promise.all([bundle([CIPHER]), bundle([])]);
  console.log(`@holdfast/workflows: ${withCodec.bytes} bytes gzipped with the codec, ${all.bytes} with both`);
  expect(withCodec.bytes).toBeLessThan(CODEC_BYTES_MAX);
  expect(all.bytes - withCodec.bytes).toBeLessThan(CIPHER_BYTES_MAX);
  expect(all.imports).toEqual([]);
});
