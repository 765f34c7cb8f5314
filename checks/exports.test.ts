/**
 * Checks that what the packages export changes only on purpose.
 *
 * After a change on purpose: `vitest run --project node checks/exports.test.ts --update`.
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test, vi } from "vitest";
import { findExports } from "./exported-names.ts";
import { REPOSITORY, packageFolders, readFiles, readManifest } from "./source-files.ts";

// What is there in workerd only.
vi.mock("cloudflare:workers", () => ({ DurableObject: class {} }));

const ENTRIES = packageFolders().flatMap((folder) => {
  const { name, private: isPrivate = false, exports = {} } = readManifest(folder);
  if (isPrivate) return [];
  return Object.entries(exports).map(([path, file]) => ({
    entry: `${name}${path.slice(1)}`,
    file: join(folder, sourceOf(file)),
  }));
});

test.each(ENTRIES)("$entry exports what the snapshot lists", async ({ file }) => {
  const names = readFiles(file).flatMap(findExports);
  expect(names.join("\n")).toMatchSnapshot();
  const atRunTime: object = await import(pathToFileURL(join(REPOSITORY, file)).href);
  expect(Object.keys(atRunTime).toSorted()).toEqual(names.filter((name) => !name.startsWith("type ")));
});

test("every form of export is read", () => {
  const source = `export { a, type B, c as d } from "./a.ts"; export type { E } from "./b.ts"; // export { no }
export const f = 1; export async function g() {} export interface H {} export default a;`;
  expect(findExports({ path: "a.ts", text: source })).toEqual([
    "a",
    "d",
    "default",
    "f",
    "g",
    "type B",
    "type E",
    "type H",
  ]);
  expect(() => findExports({ path: "a.ts", text: 'export * from "./a.ts";' })).toThrow("by hand");
});

/** An entry of `exports`: a file, or conditions of which the last is the default. */
function sourceOf(file: unknown): string {
  if (typeof file === "string") return file;
  return sourceOf(Object.values(file as Record<string, unknown>).at(-1));
}
