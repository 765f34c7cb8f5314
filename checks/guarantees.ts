/**
 * The tables of docs/guarantees.md.
 *
 * Owns: their form, and the families of rules that they leave to other pages.
 */
/** The families of rules that are not promises about runs, and the page that has them. */
export const ELSEWHERE: Readonly<Record<string, string>> = {
  PIPE: "SPEC.md",
  ACT: "docs/reference/dashboard.md",
  LIVE: "docs/reference/dashboard.md",
  DASH: "docs/reference/dashboard.md",
  CLI: "docs/reference/cli.md",
  DEV: "docs/how-to/develop-locally.md",
};

interface Promised {
  readonly line: string;
  readonly rules: readonly string[];
  /** Paths of tests, from the root. */
  readonly tests: readonly string[];
}

/** The rows of the tables with rules and tests: what is promised, and what is not. */
export function readPromises(page: string): readonly Promised[] {
  const [, tables = ""] = page.split("\n## Promised\n");
  return (tables.split("\n## Limits that people meet")[0] ?? "").split("\n").flatMap((line) => {
    const [, promise = "", , rules = "", tests = ""] = line.split("|");
    if (!line.startsWith("| ") || /^ (promise|not promised|---)/.test(promise) || rules.trim() === "none") return [];
    return [
      {
        line,
        rules: rules.match(/\w+/g) ?? [],
        tests: [...tests.matchAll(/\]\(\.\.\/([^)]+)\)/g)].map(([, path = ""]) => path),
      },
    ];
  });
}
