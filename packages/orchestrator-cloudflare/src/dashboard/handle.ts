/**
 * Serves the dashboard from the bundle of a Worker, for hosts without static assets.
 *
 * Owns: which paths are files, which are pages, and the headers of both. Files are found by their whole path, so no path
 * leads to anything else. The files are public; the data, which the pages read from the API, is not.
 */
import type { DashboardFile } from "./files.js";

const PAGE = "/ui/index.html";
const NOT_BUILT =
  "The files of the dashboard are not in this bundle. In the repository of Holdfast, run: pnpm --filter @holdfast/dashboard build\n";

/** Returns the answer to a request below `/ui`; `undefined` for any other path. */
export function handleDashboard(request: Request): Promise<Response> | undefined {
  // To parse each URL takes time.
  if (!request.url.includes("/ui")) return undefined;
  // A header Host that names no host makes an invalid URL. The API refuses it.
  const path = URL.parse(request.url)?.pathname ?? "";
  return /^\/ui(?:\/|$)/.test(path) ? serve(request, path) : undefined;
}

async function serve(request: Request, path: string): Promise<Response> {
  // Bundlers accept a module that does not exist where its absence is handled.
  const made = await import("./files.js").catch(() => undefined);
  if (made === undefined) return new Response(NOT_BUILT, { status: 503 });
  const { FILES, HEADERS, PAGES } = made;
  const answer = (status: number, headers: Readonly<Record<string, string>>, body: string): Response =>
    new Response(request.method === "HEAD" ? null : body, {
      status,
      headers: { ...HEADERS, "Content-Type": "text/plain;charset=utf-8", ...headers },
    });
  if (request.method !== "GET" && request.method !== "HEAD")
    return answer(405, { Allow: "GET, HEAD" }, "The dashboard answers GET and HEAD.\n");
  if (path === "/ui") return answer(308, { Location: "/ui/" }, "The dashboard is at /ui/.\n");
  const isFile = Object.hasOwn(FILES, path);
  const file = isFile ? FILES[path] : FILES[PAGE];
  if (file === undefined || (!isFile && path.startsWith("/ui/assets/")))
    return answer(
      404,
      { "Cache-Control": "no-store" },
      "There is no such file. Load the page again: it may be a newer version.\n",
    );
  // Another path below /ui shows the same page, which says that there is none.
  return send(request, file, HEADERS, isFile || PAGES.some((page) => matches(page, path)) ? 200 : 404);
}

function matches(page: string, path: string): boolean {
  const [wanted, given] = [page, path].map((one) => one.replace(/\/$/, "").split("/"));
  return (
    wanted?.length === given?.length && wanted?.every((part, n) => part.startsWith(":") || part === given?.[n]) === true
  );
}

function send(
  request: Request,
  { type, cache, tag, gzip }: DashboardFile,
  common: Readonly<Record<string, string>>,
  status: number,
): Response {
  const headers = new Headers({ ...common, "Cache-Control": cache, ETag: tag, Vary: "Accept-Encoding" });
  if (status === 200 && (request.headers.get("If-None-Match") ?? "").split(/,\s*/).includes(tag))
    return new Response(null, { status: 304, headers });
  headers.set("Content-Type", type);
  const isGzip = /\bgzip\b(?!\s*;\s*q=0(?:\.0+)?\s*(?:,|$))/i.test(request.headers.get("Accept-Encoding") ?? "");
  if (isGzip) headers.set("Content-Encoding", "gzip");
  if (request.method === "HEAD") return new Response(null, { status, headers });
  const bytes = Uint8Array.from(atob(gzip), (character) => character.charCodeAt(0));
  if (isGzip) return new Response(bytes, asEncoded({ status, headers }));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip")), { status, headers });
}

/** workerd would encode a body with this header once more. Other platforms ignore the field. */
function asEncoded(init: ResponseInit): ResponseInit & { readonly encodeBody: string } {
  return { ...init, encodeBody: "manual" };
}
