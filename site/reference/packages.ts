/** The page of the published packages: what each one is, and its entries. */
import { globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { REPOSITORY } from "../pages.ts";
import { frontMatter } from "./front-matter.ts";

interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly description: string;
  readonly publishConfig?: { readonly exports?: Readonly<Record<string, unknown>> };
}

export function writePackagesPage(): string {
  const rows = globSync("packages/*/package.json", { cwd: REPOSITORY })
    .toSorted()
    .map((path) => [dirname(path), JSON.parse(readFileSync(join(REPOSITORY, path), "utf8")) as Manifest] as const)
    .filter(([, manifest]) => manifest.private !== true)
    .map(([folder, { name, description, publishConfig = {} }]) => {
      const entries = Object.keys(publishConfig.exports ?? {}).filter((path) => path !== "./package.json");
      const names = entries.map((path) => `\`${name}${path.slice(1)}\``).join(", ");
      return `| [\`${name}\`](../../${folder.replaceAll("\\", "/")}/README.md) | ${description} | ${names} |`;
    });
  const summary = "Every published package, what it is for, and its entries.";
  return `${frontMatter({ title: "Packages", kind: "reference", summary, next: "reference/glossary.md" })}\n\n# Packages\n\n${summary} All packages have one version and are released together: see the [changelog](changelog.md).\n\n| package | what it is | entries |\n| --- | --- | --- |\n${rows.join("\n")}\n`;
}
