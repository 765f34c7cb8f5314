/** Types that a user makes of the OpenAPI document must accept the calls that the documents show. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import openapiTS, { astToString } from "openapi-typescript";
import { afterAll, expect, test } from "vitest";
import { REPOSITORY } from "./source-files.ts";

const PAGES = ["README.md", "docs/reference/http-guide.md"];

/** Stands for the parts of a public token's URL, which the pages have in one variable of the shell. */
const PUBLIC_PARTS = "-/run/incarnation/mac/token";

const folder = mkdtempSync(join(REPOSITORY, "node_modules/.holdfast-types-"));
afterAll(() => rmSync(folder, { recursive: true }));

interface Shown {
  readonly verb: string;
  readonly path: string;
  readonly body: string | undefined;
}

/** The requests of a page's `curl` lines, with the path as the document names it. */
function shownRequests(page: string, paths: readonly string[]): Shown[] {
  const text = readFileSync(join(REPOSITORY, page), "utf8").replaceAll("\\\n", " ");
  return [...text.matchAll(/^ *curl (.*)$/gm)].flatMap(([, line = ""]) => {
    const shown = /(?:\$API|https:\/\/[^/ ]+)(\/[^" ?]*)/.exec(line)?.[1];
    if (shown === undefined) return [];
    const given = shown.replace("$PUBLIC", PUBLIC_PARTS);
    const path = paths.find((one) => new RegExp(`^${one.replaceAll(/\{\w+\}/g, "[^/]+")}$`).test(given));
    const body = /-d '(.*?)'/.exec(line)?.[1];
    const verb = (/-X (\w+)/.exec(line)?.[1] ?? (body === undefined ? "GET" : "POST")).toLowerCase();
    return [{ verb, path: path ?? `unknown: ${given}`, body }];
  });
}

const READS = `
type Answer<P extends keyof paths, V extends keyof paths[P], S extends number> = paths[P][V] extends {
  responses: { [K in S]: { content: { "application/json": infer A } } };
} ? A : never;
type Body<P extends keyof paths, V extends keyof paths[P]> = paths[P][V] extends {
  requestBody?: { content: { "application/json": infer B } };
} ? B : never;
declare const run: Answer<"/api/runs/{id}", "get", 200>;
declare const created: Answer<"/api/runs", "post", 201>;
declare const journal: Answer<"/api/runs/{id}/journal", "get", 200>;
declare const delivered: Answer<"/api/runs/{id}/signals", "post", 202>;
declare const refusal: components["schemas"]["Refusal"];
export const texts: (string | undefined)[] = [run.status, created.id, created.error?.message, delivered.run.status];
export const values: unknown[] = [
  run.output, run.metadata["progress"], run.pendingWaitpoints[0]?.meta["tokenId"], run.steps[0]?.output,
  run.streams["log"]?.chunks, journal.entries[0]?.["value"], refusal.details, created.output,
];
export const metadata: typeof run.metadata = { progress: { done: 1 } };
export const entry: (typeof journal.entries)[number] = {
  seq: 1, at: 1, type: "step.completed", operation: { kind: "step", occurrence: 0, name: "s" }, value: [1],
};
export const meta: Body<"/api/runs", "post"> = { workflowId: "order", tenantMeta: { plan: { name: "gold" } } };
export const seeds: Body<"/api/runs/{id}/resume", "post"> = { seedResults: { charge: [1, { a: "b" }] } };
export const failure: "inbox_full" extends typeof refusal.error ? true : false = true;
// @ts-expect-error A field that no body has.
export const unknownField: Body<"/api/runs", "post"> = { workflowId: "order", retries: 3 };
`;

test("API1 types that openapi-typescript makes of the document accept every request that the pages show", async () => {
  const document = JSON.parse(readFileSync(join(REPOSITORY, "docs/openapi.json"), "utf8")) as { paths: object };
  writeFileSync(join(folder, "api.ts"), astToString(await openapiTS(JSON.stringify(document))));
  const shown = PAGES.flatMap((page) => shownRequests(page, Object.keys(document.paths)));
  expect(shown.length).toBeGreaterThan(15);
  const calls = shown.map(({ verb, path, body }, i) => {
    const [place, method] = [JSON.stringify(path), JSON.stringify(verb)];
    return body === undefined
      ? `export type Call${i} = Body<${place}, ${method}>;`
      : `export const call${i}: Body<${place}, ${method}> = ${body};`;
  });
  const code = `import type { components, paths } from "./api.ts";\n${READS}\n${calls.join("\n")}\n`;
  writeFileSync(join(folder, "calls.ts"), code);
  const compiler = join(REPOSITORY, "node_modules/.bin/tsc");
  const options = [
    "--noEmit",
    "--ignoreConfig",
    "--strict",
    "--noUncheckedIndexedAccess",
    "--allowImportingTsExtensions",
  ];
  const files = ["--module", "nodenext", "--target", "es2024", "--types", "", join(folder, "calls.ts")];
  const { stdout, status } = spawnSync(compiler, [...options, ...files], { encoding: "utf8", cwd: folder });
  expect([stdout, status]).toEqual(["", 0]);
});
