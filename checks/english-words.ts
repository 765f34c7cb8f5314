/**
 * The words that this repository does not use, with the standard term in their place.
 *
 * Owns: the glossary, and its exceptions, each with a reason. Names of stored and wire fields stay as they are: stored
 * runs must still be read.
 */
export type Place = "name" | "text";

export interface Entry {
  /** Matches whole words, in lower case. */
  readonly words: RegExp;
  readonly instead: string;
  /** Names of files and identifiers, split into words; comments, titles, messages and documents. Both unless given. */
  readonly only?: Place;
}

export interface Exception {
  readonly word: string;
  /** A glob over paths. */
  readonly files: string;
  readonly only?: Place;
  readonly why: string;
}

export const GLOSSARY: readonly Entry[] = [
  { words: /\bcircumstances\b/g, instead: "HostContext, or context" },
  { words: /\b(?:owed?|owes|owing)\b/g, instead: "pending" },
  { words: /\b(?:told|tells?|telling)\b/g, instead: "notify, report or send" },
  { words: /\b(?:hear|hears|heard)\b/g, instead: "accept, accepted" },
  { words: /\bvoices?\b/g, instead: "reports" },
  { words: /\bturn(?:s|ed|ing)?\s+back\b/g, instead: "unwind" },
  { words: /\bunder\s+way\b/g, instead: "in flight" },
  { words: /\b(?:go|goes|went|going)\s+on\b/g, instead: "continue" },
  { words: /\b(?:come|comes|came|coming)\s+to\b/g, instead: "end with, reach" },
  { words: /\banew\b/g, instead: "again" },
  { words: /\bat\s+one\s+time\b/g, instead: "concurrently" },
  { words: /\btroubles?\b/g, instead: "failure" },
  { words: /\bmend(?:s|ed|ing)?\b/g, instead: "fix" },
  { words: /\bwhoever\b/g, instead: "the caller, reader or client" },
  { words: /\bbehind\b/g, instead: "after" },
  { words: /\bfor\s+ever\b/g, instead: "forever, or indefinitely" },
  { words: /\butili[sz]\w+|\bleverag\w+/g, instead: "use", only: "text" },
  { words: /\bin\s+order\s+to\b/g, instead: "to", only: "text" },
  { words: /\bprior\s+to\b/g, instead: "before", only: "text" },
  { words: /\b(?:simply|obviously|basically|of\s+course)\b/g, instead: "(leave it out)", only: "text" },
  { words: /\b(?:e\.g|i\.e|etc)\./g, instead: "for example, that is, and so on", only: "text" },
  { words: /\b(?:whilst|thereby|whereby|hereby)\b/g, instead: "while, by which", only: "text" },
  { words: /\bworkflow\s+instances?\b/g, instead: "run", only: "text" },
  { words: /\bkept\b/g, instead: "buffered", only: "name" },
  { words: /\basked\b/g, instead: "requested", only: "name" },
  { words: /\bquiet\b/g, instead: "afterTurn", only: "name" },
];

const STORED = "A field of stored journals, headers, rows or reports.";

export const EXCEPTIONS: readonly Exception[] = [
  { word: "asked", files: "packages/**", only: "name", why: STORED },
  { word: "quiet", files: "packages/{protocol,workflows}/src/**", only: "name", why: STORED },
  { word: "owed", files: "packages/orchestrator/src/run/{index-mark,state/run-header}.ts", only: "name", why: STORED },
  {
    word: "behind",
    files: "packages/orchestrator-cloudflare/src/dispatch/*-dispatcher.ts",
    only: "text",
    why: "A place: a Worker behind a service binding.",
  },
  {
    word: "told",
    files: "packages/workflows/src/client/client.ts",
    only: "name",
    why: "A field of the API's answer to /api/index/rebuild.",
  },
  {
    word: "told",
    files: "packages/orchestrator-cloudflare/src/feed/*.ts",
    only: "name",
    why: "A field of the state that the platform stores with a socket.",
  },
  {
    word: "told",
    files: "packages/orchestrator-cloudflare/src/api/openapi-text.ts",
    only: "text",
    why: "A field of an answer of the API, in a generated file.",
  },
  {
    word: "told",
    files: "deploy/self-host/test/backup-scripts.test.ts",
    only: "text",
    why: "A field of the API's answer to /api/index/rebuild.",
  },
  ...["tells", "goes on", "went on"].map((word) => ({
    word,
    files: "packages/proof/src/catalogue/*.ts",
    only: "text" as const,
    why: "Titles are the keys of recorded journals, and stored runs contain their ids and results.",
  })),
  { word: "*", files: "checks/english*.ts", why: "The glossary itself." },
];
