/** The pages of the TypeScript API: every export of the published entries, with its declaration and comment. */
import { type Declared, readExports } from "./declarations.ts";
import { frontMatter } from "./front-matter.ts";

interface Entry {
  readonly specifier: string;
  readonly path: string;
  /** Takes the names for which this is true. */
  readonly takes?: (name: string) => boolean;
}

interface TypePage {
  readonly path: string;
  readonly title: string;
  readonly summary: string;
  readonly next: string;
  readonly entries: readonly Entry[];
}

/** The context of a workflow, and what its members take and return. */
const OF_CTX = new Set(
  "AskOptions Group InvokeOptions Log MatchOptions MetadataWriter ParallelOptions RaceOptions RaceResult RetryOptions RunInfo RunSchedule SendOptions ShieldedOptions SleepOptions StepContext StepOptions StreamSource StreamWriter Token TokenOptions TopicOptions Wait WaitOptions WorkflowContext".split(
    " ",
  ),
);
const WORKFLOWS = { specifier: "@holdfast/workflows", path: "packages/workflows/dist/index.d.ts" };

function entry(specifier: string, path: string): Entry {
  return { specifier, path: `packages/${path}.d.ts` };
}

export const TYPE_PAGES: readonly TypePage[] = [
  {
    path: "reference/workflow.md",
    title: "workflow, limit, event and schedule",
    summary: "What @holdfast/workflows exports to declare workflows, limits, events and schedules, and its errors.",
    next: "reference/ctx.md",
    entries: [{ ...WORKFLOWS, takes: (name) => !OF_CTX.has(name) }],
  },
  {
    path: "reference/ctx.md",
    title: "ctx",
    summary: "Every member of ctx with its signature, options and results.",
    next: "reference/ctx-notes.md",
    entries: [{ ...WORKFLOWS, takes: (name) => OF_CTX.has(name) }],
  },
  {
    path: "reference/client.md",
    title: "Client",
    summary: "Every export of @holdfast/workflows/client with its signature.",
    next: "reference/http-guide.md",
    entries: [entry("@holdfast/workflows/client", "workflows/dist/client/index")],
  },
  {
    path: "reference/testing.md",
    title: "Testing",
    summary: "Every export of @holdfast/workflows/testing with its signature.",
    next: "how-to/test.md",
    entries: [entry("@holdfast/workflows/testing", "workflows/dist/testing/index")],
  },
  {
    path: "reference/worker.md",
    title: "Worker",
    summary: "Every export of the packages that make a Worker of Holdfast.",
    next: "reference/configuration.md",
    entries: [
      entry("@holdfast/orchestrator-cloudflare/worker", "orchestrator-cloudflare/dist/deployment/holdfast"),
      entry("@holdfast/orchestrator-cloudflare", "orchestrator-cloudflare/dist/index"),
      entry("@holdfast/orchestrator-cloudflare/turns", "orchestrator-cloudflare/dist/dispatch/turns"),
      entry("@holdfast/orchestrator-cloudflare/dashboard", "orchestrator-cloudflare/dist/dashboard/handle"),
    ],
  },
  {
    path: "reference/handler.md",
    title: "Step handlers",
    summary: "Every export that serves workflows in another Worker or process.",
    next: "how-to/steps-elsewhere.md",
    entries: [
      entry("@holdfast/workflows/handler", "workflows/dist/handler/index"),
      entry("@holdfast/workflows/node", "workflows/dist/node/index"),
      entry("@holdfast/workflows/bun", "workflows/dist/bun/index"),
      entry("@holdfast/workflows/deno", "workflows/dist/deno/index"),
      entry("@holdfast/workflows/turns", "workflows/dist/handler/turns"),
    ],
  },
];

/** Returns the text of each page by its path in docs/. */
export function writeTypePages(): ReadonlyMap<string, string> {
  return new Map(TYPE_PAGES.map((page) => [page.path, typePage(page)]));
}

function typePage({ title, summary, next, entries }: TypePage): string {
  const sections = entries.map(({ specifier, path, takes = () => true }) => {
    const taken = readExports(path).filter(({ name }) => takes(name));
    return `## ${specifier}\n\n${taken.map(section).join("\n\n")}`;
  });
  return `${frontMatter({ title, kind: "reference", summary, next })}\n\n# ${title}\n\n${summary} The declarations and their comments are those of the package.\n\n${sections.join("\n\n")}\n`;
}

function section({ name, text }: Declared): string {
  return `### ${name}\n\n\`\`\`typescript\n${text}\n\`\`\``;
}
