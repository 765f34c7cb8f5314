/**
 * The files of the dashboard as a module, for Workers that have no static assets.
 *
 * Owns: the text of the module. Its types are in files.d.ts beside it.
 */
import { createHash } from "node:crypto";
import { extname } from "node:path";
import { gzipSync } from "node:zlib";
import { ASSET_CACHE, PAGE_CACHE, SECURITY_HEADERS } from "./headers.ts";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html;charset=utf-8",
  ".js": "text/javascript;charset=utf-8",
  ".css": "text/css;charset=utf-8",
};

export function moduleText(files: Readonly<Record<string, Uint8Array>>, pages: readonly string[]): string {
  const shown = Object.entries(files).map(([path, content]) => [
    path,
    {
      type: TYPES[extname(path)] ?? "application/octet-stream",
      cache: path.startsWith("/ui/assets/") ? ASSET_CACHE : PAGE_CACHE,
      tag: `W/"${createHash("sha256").update(content).digest("base64url").slice(0, 22)}"`,
      gzip: gzipSync(content, { level: 9 }).toString("base64"),
    },
  ]);
  return `/** Made by the build of apps/dashboard. */
export const FILES = ${JSON.stringify(Object.fromEntries(shown))};
export const HEADERS = ${JSON.stringify(SECURITY_HEADERS)};
export const PAGES = ${JSON.stringify(pages)};
`;
}
