/**
 * A package registry on loopback: it serves the packed tarballs of this repository, and passes every other name on to the
 * registry with which npm is configured.
 *
 * Use:
 *
 *     const packages = packPackages(folder);                        // pack.ts
 *     const registry = await startRegistry(packages);
 *     spawn("npm", ["install", "@holdfast/workflows"], { cwd, env: registry.environment(home) });
 *     …
 *     expect(registry.refused).toEqual([]);                         // fails if a name of ours was requested that is not packed
 *     await registry.close();
 *
 * `environment(home)` is a whole environment for npm, npx, pnpm, Bun and Deno: an own home and cache inside the folder
 * `home`, the registry, this process's Node first on PATH, and nothing of the caller's but the rest of PATH without the
 * commands of installed packages, the locale, and what the network needs. `more` adds to it.
 *
 * Invariant: a name of ours (`isOurs`) is never requested of another registry. One that is not packed here is answered with
 * 404 and recorded in `refused`. Requests that list installed packages (audits) are answered here, with nothing.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream, readFileSync } from "node:fs";
import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { delimiter, dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { PackedPackage } from "./pack.ts";

export interface Registry {
  /** The address, without a slash at the end. */
  readonly url: string;
  /** Names of ours that were served, each once. */
  readonly served: ReadonlySet<string>;
  /** Requests for names of ours that are not packed: method and path. */
  readonly refused: readonly string[];
  /** Names that were requested of the other registry, each once. */
  readonly passedOn: ReadonlySet<string>;
  /** Returns the environment for a package manager that knows only this registry. */
  environment(home: string, more?: Readonly<Record<string, string>>): Record<string, string>;
  close(): Promise<void>;
}

interface State {
  readonly packages: ReadonlyMap<string, PackedPackage>;
  readonly upstream: string;
  readonly served: Set<string>;
  readonly refused: string[];
  readonly passedOn: Set<string>;
}

/** Variables of the caller that a package manager in a test gets too. */
const INHERITED = new Set(["LANG", "TMPDIR", "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"]);

/** Returns whether a package name is reserved for this project. */
export function isOurs(name: string): boolean {
  return name.toLowerCase().includes("holdfast");
}

export interface RegistryOptions {
  /** Default: the registry that npm is configured with. */
  readonly upstream?: string;
  /** Default: a free one. */
  readonly port?: number;
}

/** Starts the registry on loopback. */
export async function startRegistry(
  packages: readonly PackedPackage[],
  { upstream = configuredRegistry(), port = 0 }: RegistryOptions = {},
): Promise<Registry> {
  const state: State = {
    packages: new Map(packages.map((one) => [one.name, one])),
    upstream: upstream.replace(/\/$/u, ""),
    served: new Set(),
    refused: [],
    passedOn: new Set(),
  };
  const server = createServer((request, response) => {
    answer(state, request, response).catch((error: unknown) => refuse(response, 502, describe(error)));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(port, "127.0.0.1", resolve);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    ...state,
    url,
    environment: (home, more = {}) => environmentOf(url, home, more),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function configuredRegistry(): string {
  return execFileSync("npm", ["config", "get", "registry"], { encoding: "utf8" }).trim();
}

function environmentOf(url: string, home: string, more: Readonly<Record<string, string>>): Record<string, string> {
  const inherited = Object.entries(process.env).filter(([name]) => INHERITED.has(name) || /_proxy$/iu.test(name));
  return {
    ...(Object.fromEntries(inherited) as Record<string, string>),
    PATH: searchPath(),
    HOME: home,
    NO_COLOR: "1",
    npm_config_registry: `${url}/`,
    npm_config_cache: join(home, ".npm"),
    npm_config_audit: "false",
    npm_config_fund: "false",
    npm_config_update_notifier: "false",
    NO_UPDATE_NOTIFIER: "1",
    // pnpm, Deno and Bun read names of their own.
    pnpm_config_registry: `${url}/`,
    NPM_CONFIG_REGISTRY: `${url}/`,
    BUN_CONFIG_REGISTRY: `${url}/`,
    DENO_DIR: join(home, ".deno"),
    ...more,
  };
}

/** The Node of this process, then the caller's folders but those of installed packages: their commands would be found. */
function searchPath(): string {
  const folders = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => !folder.includes("node_modules"));
  return [dirname(process.execPath), ...folders].join(delimiter);
}

async function answer(state: State, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = "GET", url: path = "/" } = request;
  const [name, tarball] = parsePath(path);
  if (name === "-") {
    const isAudit = method === "POST" && path.startsWith("/-/npm/v1/security/");
    return isAudit ? send(response, 200, {}) : refuse(response, 404, "This registry only serves packages.");
  }
  if (isOurs(name) || isOurs(path)) return serve(state, request, response, name, tarball);
  if (method !== "GET" && method !== "HEAD") return refuse(response, 405, "This registry is read-only.");
  state.passedOn.add(name);
  const { accept = "*/*" } = request.headers;
  const found = await fetch(state.upstream + path, { method, headers: { accept } });
  const type = found.headers.get("content-type");
  response.writeHead(found.status, type === null ? {} : { "content-type": type });
  if (found.body === null) response.end();
  else await pipeline(found.body.values(), response);
}

/** Returns the name of the package, and the file name if the path is that of a tarball. */
function parsePath(path: string): readonly [name: string, tarball: string | undefined] {
  const parts = decodeURIComponent(path.split("?")[0] ?? "")
    .split("/")
    .filter((part) => part !== "");
  const scoped = parts[0]?.startsWith("@") === true;
  const name = parts.slice(0, scoped ? 2 : 1).join("/");
  return [name, parts.includes("-") ? parts.at(-1) : undefined];
}

async function serve(
  state: State,
  request: IncomingMessage,
  response: ServerResponse,
  name: string,
  tarball: string | undefined,
): Promise<void> {
  const found = state.packages.get(name);
  const isKnown = found !== undefined && (tarball === undefined || tarball === fileName(found));
  if (!isKnown || request.method !== "GET") {
    state.refused.push(`${request.method} ${request.url}`);
    return refuse(response, 404, `${name} is a name of this project, and the registry of the test does not have it.`);
  }
  state.served.add(name);
  if (tarball === undefined) return send(response, 200, packument(found, `http://${request.headers.host}`));
  response.writeHead(200, { "content-type": "application/octet-stream" });
  await pipeline(createReadStream(found.tarball), response);
}

function packument({ name, version, tarball, manifest }: PackedPackage, url: string): object {
  const bytes = readFileSync(tarball);
  const dist = {
    tarball: `${url}/${name}/-/${fileName({ name, version })}`,
    integrity: `sha512-${createHash("sha512").update(bytes).digest("base64")}`,
    shasum: createHash("sha1").update(bytes).digest("hex"),
  };
  const versions = { [version]: { ...manifest, _id: `${name}@${version}`, dist } };
  // A package manager may refuse versions that are too young.
  const published = "2020-01-01T00:00:00.000Z";
  const time = { created: published, modified: published, [version]: published };
  return { _id: name, name, "dist-tags": { latest: version }, versions, time };
}

function fileName({ name, version }: Pick<PackedPackage, "name" | "version">): string {
  return `${name.split("/").at(-1)}-${version}.tgz`;
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

function refuse(response: ServerResponse, status: number, error: string): void {
  if (response.headersSent) response.destroy();
  else send(response, status, { error });
}

function describe(error: unknown): string {
  const { message, cause } = error instanceof Error ? error : new Error(String(error));
  return cause instanceof Error ? `${message}: ${cause.message}` : message;
}
