/**
 * `pnpm map`: prints a tree of the source files, with the first line of each file's header.
 */
import { readFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { REPOSITORY } from "./source-files.ts";

/** Returns the tree, with a line per folder and per TypeScript file. */
export function drawMap(): string {
  const args = ["ls-files", "-co", "--exclude-standard", "*.ts"];
  const files = execFileSync("git", args, { cwd: REPOSITORY, encoding: "utf8" }).trim().split("\n").toSorted();
  let folder = "";
  const lines: string[] = [];
  for (const file of files) {
    const cut = file.lastIndexOf("/");
    if (file.endsWith(".d.ts") || cut < 0) continue;
    if (file.slice(0, cut) !== folder) lines.push(`${(folder = file.slice(0, cut))}/`);
    lines.push(
      `  ${file.slice(cut + 1).padEnd(30)} ${purposeOf(readFileSync(join(REPOSITORY, file), "utf8"))}`.trimEnd(),
    );
  }
  return lines.join("\n");
}

/** Returns the first line of a file's header. For a test without a header, returns the titles of its groups. */
function purposeOf(source: string): string {
  const header = /^\/\*\*\s*\n?\s*\*?\s*(.+?)(?:\n|\s*\*\/)/.exec(source)?.[1];
  if (header !== undefined) return header.replace(/\s*\*\/$/, "").replace(/[.:,]$/, "");
  const topics = [...source.matchAll(/^describe\("([^"]+)"/gm)].map((match) => match[1]);
  return topics.length === 0 ? "" : `tests: ${topics.join(", ")}`;
}

if (import.meta.main) console.log(drawMap());
