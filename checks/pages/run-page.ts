/**
 * Executes the commands of a page against a server, and compares what they print with the answers that the page shows.
 *
 * Owns: NOT_EXECUTED, the one table of commands that no test executes. Every other command is executed.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { REPOSITORY } from "../source-files.ts";
import { compareAnswer } from "./compare.ts";
import { type Command, findCommands, withoutComment } from "./page.ts";
import { type Executed, Shell } from "./shell.ts";

interface NotExecuted {
  readonly commands: RegExp;
  readonly reason: string;
}

export const NOT_EXECUTED: readonly NotExecuted[] = [
  { commands: /^npx -y pnpm@\S+ install$/, reason: "the workspace of the test is installed" },
  { commands: /^npx -y pnpm@\S+ /, reason: "starts a script that other tests execute; a test checks that it exists" },
  { commands: /^npm create /, reason: "installs from a registry; .ci/packed creates projects from what is packed" },
  { commands: /^npm (init|install|pkg) /, reason: "installs from a registry; .ci/packed installs what is packed" },
  {
    commands: /^npx holdfast /,
    reason: "the command is not installed in the workspace; .ci/packed executes README.md",
  },
  { commands: /^\.ci\/(packed|run)$/, reason: "takes minutes, and the second one is this run" },
  { commands: /^node --env-file=/, reason: "starts a service of the reader; targets.test.ts starts such a one" },
  { commands: /^npx wrangler /, reason: "needs an account at Cloudflare, and changes it" },
  { commands: /\| npx wrangler secret put \w+$/, reason: "needs an account at Cloudflare, and changes it" },
  { commands: /^docker /, reason: "needs a docker daemon; container.test.ts executes it where one is" },
  { commands: /^(echo [^|]* \| )?sudo /, reason: "changes the machine; service.test.ts checks the unit" },
  { commands: /^deploy\/self-host\/dist\/start\.sh$/, reason: "does not return; self-host.test.ts starts it" },
];

/** The addresses of a server in the pages. */
const ADDRESSES = /https:\/\/holdfast\.<you>\.workers\.dev|(http:\/\/)?(localhost|127\.0\.0\.1):8787/g;

/** For this time a command that only reads is repeated until it prints the shown answer, ms. */
const READ_MS = 15_000;
const READ_AGAIN_MS = 50;
/** The exit status of curl for an answer of 400 or above. */
const HTTP_ERROR = 22;

export function readPage(path: string): readonly Command[] {
  return findCommands(readFileSync(join(REPOSITORY, path), "utf8"));
}

export function isExecuted({ text }: Command): boolean {
  return !NOT_EXECUTED.some(({ commands }) => commands.test(withoutComment(text)));
}

/** Executes the commands of a page in order. Returns a text for each that does not do what the page shows. */
export async function runPage(path: string, url: string): Promise<readonly string[]> {
  const failures: string[] = [];
  const shell = new Shell(REPOSITORY);
  try {
    for (const command of readPage(path).filter(isExecuted)) {
      const wrong = await runCommand(shell, command, url);
      if (wrong.length > 0) failures.push(`${path}:${command.line}: ${command.text}\n  ${wrong.join("\n  ")}`);
      if (shell.hasEnded) break;
    }
  } finally {
    await shell.close();
  }
  return failures;
}

function runCommand(shell: Shell, command: Command, url: string): Promise<readonly string[]> {
  return typeCommand(shell, { ...command, text: command.text.replace(ADDRESSES, url) });
}

/** Returns what the command does not do as the page shows. */
export async function typeCommand(shell: Shell, command: Pick<Command, "text" | "answer">): Promise<readonly string[]> {
  const end = Date.now() + READ_MS;
  for (;;) {
    const wrong = judge(command, await shell.execute(command.text));
    if (wrong.length === 0 || !onlyReads(command) || Date.now() > end) return wrong;
    await new Promise((resolve) => setTimeout(resolve, READ_AGAIN_MS));
  }
}

/** A list, for example, learns of a change a moment later. */
function onlyReads({ text, answer }: Pick<Command, "text" | "answer">): boolean {
  if (answer === undefined) return false;
  return (
    /^(npx )?holdfast (list|run|count|why|journal|workflows|(approval|limit|schedule|event) (list|show)) /.test(text) ||
    (text.startsWith("curl ") && !/ (-X|-d|--data\S*) /.test(text))
  );
}

function judge({ answer }: Pick<Command, "answer">, { status, stdout, stderr }: Executed): readonly string[] {
  const differences = answer === undefined ? [] : compareAnswer(answer, stdout);
  const isRefusal = answer?.language === "json" && Object.hasOwn(JSON.parse(answer.text) as object, "error");
  if (status === 0 || (isRefusal && status === HTTP_ERROR)) return differences;
  return [`It ends with status ${status ?? "unknown, and so does the shell"}: ${stderr}${stdout}`, ...differences];
}
