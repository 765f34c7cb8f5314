/**
 * `pnpm english [PATH…]`: words of the glossary's left column in names, comments, messages and documents.
 *
 * Owns: where names and text are found. Prints `file:line: word → replacement`, and the count of each area. With
 * `--update` it lowers the counts that checks/english.test.ts allows. `--long` prints the long sentences of documents instead.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join, posix } from "node:path";
import { EXCEPTIONS, GLOSSARY, type Place } from "./english-words.ts";
import { GROUPS, describeLong, measure } from "./language/measure.ts";
import { REPOSITORY, type SourceFile, readFiles } from "./source-files.ts";
import { type SyntaxNode, isNode, parseSource } from "./syntax.ts";

export interface Finding {
  readonly path: string;
  readonly line: number;
  readonly word: string;
  readonly instead: string;
}

interface Passage {
  readonly place: Place;
  readonly text: string;
  readonly line: number;
}

const COUNTS_FILE = join(REPOSITORY, "checks/english-counts.json");

/** All that people write here; not what a command wrote. */
export function readWritten(): readonly SourceFile[] {
  return readFiles(
    "{packages,apps,examples,checks,demo,deploy,benchmarks,site}/**/*.{ts,tsx,md}",
    "docs/**/*.md",
    "*.{ts,md}",
  );
}

export function checkEnglish(file: SourceFile): readonly Finding[] {
  const passages = file.path.endsWith(".md") ? readDocument(file) : readSource(file);
  const fileName = { place: "name" as const, text: splitName(posix.basename(file.path)), line: 1 };
  return [fileName, ...passages].flatMap((passage) => findWords(file.path, passage));
}

/** Findings by package and part of it, or by folder at the root. */
export function countByArea(findings: readonly Finding[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { path } of findings) counts[areaOf(path)] = (counts[areaOf(path)] ?? 0) + 1;
  return Object.fromEntries(Object.entries(counts).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

export function areaOf(path: string): string {
  const folders = path.split("/").slice(0, -1);
  return folders.slice(0, folders[0] === "packages" ? 3 : 1).join("/") || ".";
}

export function readAllowed(): Readonly<Record<string, number>> {
  return JSON.parse(readFileSync(COUNTS_FILE, "utf8")) as Record<string, number>;
}

export function describeFinding({ path, line, word, instead }: Finding): string {
  return `${path}:${line}: ${word} → ${instead}`;
}

function findWords(path: string, { place, text, line }: Passage): readonly Finding[] {
  const lower = text.toLowerCase();
  return GLOSSARY.filter(({ only = place }) => only === place).flatMap(({ words, instead }) =>
    [...lower.matchAll(words)]
      .map(({ 0: found, index }) => ({ word: found.replaceAll(/\s+/g, " "), at: index }))
      .filter(({ word }) => !isExcepted(path, place, word))
      .map(({ word, at }) => ({ path, line: line + text.slice(0, at).split("\n").length - 1, word, instead })),
  );
}

function isExcepted(path: string, place: Place, word: string): boolean {
  return EXCEPTIONS.some(
    (one) =>
      (one.word === "*" || one.word === word) && (one.only ?? place) === place && posix.matchesGlob(path, one.files),
  );
}

/** A document without its code. */
function readDocument({ text }: SourceFile): readonly Passage[] {
  const prose = text.replaceAll(/^```[\s\S]*?^```/gm, blank);
  return [{ place: "text", text: withoutCode(prose), line: 1 }];
}

function readSource(file: SourceFile): readonly Passage[] {
  const { nodes, comments, lineAt } = parseSource(file);
  const names = new Map(nodes.flatMap(declaredNames).map(({ name, at }) => [name, at]));
  return [
    ...[...names].map(([name, at]) => ({ place: "name" as const, text: splitName(name), line: lineAt(at) })),
    ...comments.map(({ value, start }) => ({
      place: "text" as const,
      text: withoutCode(value.replaceAll(/^\s*\*/gm, blank)),
      line: lineAt(start),
    })),
    ...nodes.filter(isMessage).map(({ start, end }) => ({
      place: "text" as const,
      text: file.text.slice(start, end),
      line: lineAt(start),
    })),
  ];
}

/** What a node gives a name to: a variable, function, type, member or parameter. */
function declaredNames({ type, id, key, params }: SyntaxNode): readonly { name: string; at: number }[] {
  const declared = [id, type === "Property" ? undefined : key, ...(Array.isArray(params) ? (params as unknown[]) : [])];
  return declared.flatMap((node) =>
    isNode(node) && typeof node["name"] === "string" ? [{ name: node["name"], at: node.start }] : [],
  );
}

/** Text with a space in it, in code or in JSX: what is no field, no type of an entry and no path. */
function isMessage({ type, value }: SyntaxNode): boolean {
  const text =
    type === "Literal" || type === "JSXText"
      ? value
      : type === "TemplateElement"
        ? (value as { raw?: unknown }).raw
        : undefined;
  return typeof text === "string" && /\w\s|\s\w/.test(text);
}

/** `readTheOwed` and `read-the-owed` as words. */
function splitName(name: string): string {
  return name.replaceAll(/([a-z\d])([A-Z])/g, "$1 $2").replaceAll(/[-_.]/g, " ");
}

function withoutCode(text: string): string {
  return text.replaceAll(/`[^`\n]*`/g, blank);
}

function blank(text: string): string {
  return text.replaceAll(/[^\n]/g, " ");
}

function main(paths: readonly string[]): void {
  const findings = readWritten().flatMap(checkEnglish);
  for (const one of findings) if (paths.every((path) => one.path.startsWith(path))) console.log(describeFinding(one));
  const counts = countByArea(findings);
  console.log();
  for (const [area, count] of Object.entries(counts)) console.log(`${String(count).padStart(5)}  ${area}`);
  console.log(`${String(findings.length).padStart(5)}  in all`);
}

function printLong(paths: readonly string[]): void {
  for (const [group, { patterns }] of Object.entries(GROUPS)) {
    const { sentences, long } = measure(readFiles(...patterns));
    const shown = long.filter(({ path }) => paths.length === 0 || paths.some((start) => path.startsWith(start)));
    for (const one of shown) console.log(describeLong(one));
    console.log(`\n${long.length} of ${sentences} in ${group}\n`);
  }
}

/** Lowers what is allowed to what is there. */
function update(): void {
  const allowed = readAllowed();
  const counts = countByArea(readWritten().flatMap(checkEnglish));
  const lowered = Object.entries(counts).map(([area, count]) => [area, Math.min(count, allowed[area] ?? 0)]);
  writeFileSync(COUNTS_FILE, `${JSON.stringify(Object.fromEntries(lowered), null, 2)}\n`);
}

if (import.meta.main) {
  const [first, ...rest] = process.argv.slice(2);
  if (first === "--update") update();
  else if (first === "--long") printLong(rest);
  else main(first === undefined ? [] : [first, ...rest]);
}
