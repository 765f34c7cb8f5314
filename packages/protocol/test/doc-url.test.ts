/** Tests the addresses of the pages about error codes. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DOCS_URL, ERROR_CODES, HoldfastError, errorDocUrl, refusalDocUrl } from "@holdfast/protocol";
import { expect, test } from "vitest";

const REPOSITORY = join(import.meta.dirname, "../../..");

test("LIM2 each code of Holdfast has the address of a page that exists, and a code of an author has none", () => {
  const missing = ERROR_CODES.filter((code) => {
    const path = errorDocUrl(code)
      ?.replace(DOCS_URL, "docs")
      .replace(/\.html$/u, ".md");
    return path === undefined || !existsSync(join(REPOSITORY, path));
  });
  expect(missing).toEqual([]);
  expect(["E_CARD", 17, undefined].map((code) => errorDocUrl(code))).toEqual([undefined, undefined, undefined]);
  expect(new HoldfastError("FATAL", "no").docUrl).toBe(errorDocUrl("FATAL"));
});

test("LIM2 the address of a refusal leads to its heading, at any place of the site", () => {
  const page = readFileSync(join(REPOSITORY, "docs/reference/errors/http.md"), "utf8");
  expect(refusalDocUrl("not_found", "https://docs.example")).toBe(
    "https://docs.example/reference/errors/http.html#not_found",
  );
  expect(page).toContain("\n## not_found\n");
});
