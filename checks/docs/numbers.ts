/**
 * Numbers in documents, compared with their sources.
 *
 * Owns: the comment `<!-- from: SOURCE#PATH -->` right after a number and its unit. SOURCE is a JSON file of the repository
 * and PATH its keys, joined by `/`; or `limits` with the name of a limit. ` × N` after PATH multiplies it. The source is
 * rounded as the number is printed: to its decimals, and after "about" or "some" to its last digit that is not zero.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DEFAULT_LIMITS, HOST_LIMITS, LIMITS } from "@holdfast/protocol";
import { REPOSITORY, type SourceFile } from "../source-files.ts";

/** Words for numbers, from nought. */
const WORDS = "no one two three four five six seven eight nine ten eleven twelve".split(" ");

/** Sources have milliseconds and bytes or characters. A unit that is not here is what is counted: `13 rows`. */
const UNITS: Readonly<Record<string, number>> = {
  second: 1_000,
  s: 1_000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  kB: 1_000,
  KiB: 1_024,
  Ki: 1_024,
  MiB: 1_024 ** 2,
  Mi: 1_024 ** 2,
  million: 1_000_000,
};

const MARK = /<!--\s*from:([^]*?)-->/gu;
const SOURCE = /^ (?<file>[^#×]+)#(?<path>[^×]+?)(?: × (?<factor>[\d.]+))? $/u;
const NUMBER = new RegExp(
  `(?<about>\\b(?:about|some) )?(?<![\\w.,])(?<number>\\d[\\d,]*(?:\\.\\d+)?|(?:${WORDS.join("|")})\\b)(?: (?<unit>\\p{L}+))?\\**$`,
  "iu",
);

export interface Marks {
  readonly count: number;
  readonly wrong: readonly string[];
}

/** Compares each number with a comment after it. */
export function checkNumbers({ path, text }: SourceFile): Marks {
  const marks = [...text.matchAll(MARK)];
  const wrong = marks.flatMap(({ 0: comment, 1: source = "", index }) => {
    const before = text.slice(0, index).split("\n");
    const fault = compare(before.at(-1) ?? "", source);
    return fault === undefined ? [] : [`${path}:${before.length}: ${comment}: ${fault}`];
  });
  return { count: marks.length, wrong };
}

function compare(before: string, source: string): string | undefined {
  const value = readSource(source);
  if (value === undefined) return "the source has no such number";
  const { about, number = "", unit = "" } = NUMBER.exec(before.replaceAll(/<!--.*?-->/gu, ""))?.groups ?? {};
  if (number === "") return "no number is before it";
  const word = WORDS.indexOf(number.toLowerCase());
  const printed = word >= 0 ? word : Number(number.replaceAll(",", ""));
  const step = stepOf(word >= 0 ? String(word) : number.replaceAll(",", ""), about !== undefined);
  const found = value / (UNITS[unit] ?? UNITS[unit.replace(/s$/u, "")] ?? 1);
  return Math.round(found / step) === Math.round(printed / step)
    ? undefined
    : `the source has ${found} ${unit}`.trimEnd();
}

/** What the last digit that counts is worth. */
function stepOf(digits: string, isAbout: boolean): number {
  const [, zeros = ""] = /^\d*?[1-9](0*)$/u.exec(digits) ?? [];
  if (isAbout && zeros !== "") return 10 ** zeros.length;
  return 10 ** -(digits.split(".")[1] ?? "").length;
}

function readSource(source: string): number | undefined {
  const { file = "", path = "", factor = "1" } = SOURCE.exec(source)?.groups ?? {};
  const value = file === "limits" ? VALUES[path] : path.split("/").reduce<unknown>(pick, readJson(file));
  return typeof value === "number" ? value * Number(factor) : undefined;
}

const VALUES: Readonly<Record<string, number>> = { ...LIMITS, ...HOST_LIMITS, ...DEFAULT_LIMITS };

function pick(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>)[key] : undefined;
}

function readJson(file: string): unknown {
  const path = join(REPOSITORY, file);
  return file.endsWith(".json") && existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as unknown) : undefined;
}
