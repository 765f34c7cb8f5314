/**
 * The options of verbs that select runs.
 */
import type { RunFilter } from "@holdfast/workflows/client";
import type { Command } from "commander";
import { filterKeys, parseFilter, splitFilter } from "./filter.ts";

export interface FilterOptions {
  readonly where?: string;
}

const FILTER_HELP = `
Filters:
${filterKeys()}`;

/** Adds filters as arguments, and as `--where`. */
export function addFilter(command: Command): Command {
  return command
    .argument("[filter...]", "such as status:failed workflow:order tag:vip 'created:>1d'")
    .option("--where <filter>", "the same, as one text")
    .addHelpText("after", FILTER_HELP);
}

/** A term of several words comes from a shell that removed the quotes: it stays one term. */
export function filterOf(terms: readonly string[], { where = "" }: FilterOptions, now: number): RunFilter {
  return parseFilter([...terms, ...splitFilter(where)], now);
}
