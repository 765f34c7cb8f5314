/**
 * Whether a person agrees to an act (CLI6, CLI8).
 *
 * Owns: what is shown first, and who is asked. A filter is confirmed, unless `--yes` is given. The name of a protected
 * profile is typed, or given with `--confirm`; `--yes` does not replace it. Without a terminal nobody can be asked, and the
 * act is refused.
 */
import type { Readable, Writable } from "node:stream";
import { EXIT, Interrupted, Reported, UsageError } from "../exit.ts";
import { safe } from "../output/safe-text.ts";
import type { Session } from "../session.ts";
import type { Selection, SelectOptions } from "./selection.ts";

const EXAMPLES = 5;

export interface Act {
  /** In the imperative: `cancel`. */
  readonly verb: string;
  /** Ends or removes something that cannot be had back. */
  readonly isDestructive?: boolean;
}

/** Refuses before any request if nobody can be asked. */
export async function checkConsent(
  session: Session,
  { verb, isDestructive }: Act,
  options: Pick<SelectOptions, "where" | "yes" | "confirm" | "dryRun">,
): Promise<void> {
  if (options.dryRun === true) return;
  const { profile, isProtected, url } = await session.target();
  if (options.confirm !== undefined && options.confirm !== profile)
    throw new UsageError(
      `--confirm names ${JSON.stringify(options.confirm)}, but this is ${profile === undefined ? "no profile" : `the profile ${profile}`} (${url}).`,
    );
  if (session.canAsk) return;
  if (isProtected && (isDestructive === true || options.where !== undefined) && options.confirm === undefined)
    throw new UsageError(`The profile ${profile} is protected. Without a terminal, add --confirm ${profile}.`);
  if (options.where !== undefined && options.yes !== true)
    throw new UsageError(`--where may ${verb} many runs. Without a terminal, add --yes, or --dry-run to see which.`);
}

/** @throws Reported if the person does not agree */
export async function askConsent(
  session: Session,
  act: Act,
  selection: Selection,
  options: Pick<SelectOptions, "yes" | "confirm">,
): Promise<void> {
  const { notes } = session;
  const { profile, isProtected, url } = await session.target();
  const many = selection.where !== undefined;
  if (many) showSelection(session, selection);
  if (act.isDestructive === true || many)
    notes.say(profile === undefined ? safe`Server: ${url}` : safe`Profile: ${notes.paint("bold", profile)} (${url})`);
  if (isProtected && (act.isDestructive === true || many)) {
    if (options.confirm === profile) return;
    const typed = await askText(
      session,
      `This profile is protected. Type its name to ${act.verb} ${runs(selection.ids.length)}:`,
    );
    if (typed !== profile) refuse(session, "That is not its name. Nothing was done.");
  } else if (many && options.yes !== true) {
    const agreed = await askYes(session, `${capitalized(act.verb)} ${runs(selection.ids.length)}?`);
    if (!agreed) refuse(session, "Nothing was done.");
  }
}

export function showSelection({ notes }: Session, { ids, where }: Selection): void {
  notes.say(safe`${runs(ids.length)} match${ids.length === 1 ? "es" : ""} ${where ?? ""}:`);
  for (const id of ids.slice(0, EXAMPLES)) notes.say(safe`  ${id}`);
  if (ids.length > EXAMPLES) notes.say(safe`  … and ${ids.length - EXAMPLES} more`);
}

export function runs(count: number): string {
  return count === 1 ? "1 run" : `${count.toLocaleString("en")} runs`;
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export function refuse({ notes }: Session, why: string): never {
  notes.say(safe`${why}`);
  throw new Reported(EXIT.usage);
}

interface Terminal {
  readonly input: Readable;
  readonly output: Writable;
  readonly signal: AbortSignal;
}

/**
 * Asks by a prompt. Ctrl-D ends it as Ctrl-C does: the prompt closes its input then, and would never answer.
 * @throws Interrupted
 */
async function ask<T>({ io }: Session, prompt: (terminal: Terminal) => Promise<T | symbol>): Promise<T> {
  // The prompts need Node's own streams.
  const input = io.stdin as unknown as Readable;
  const output = io.stderr as unknown as Writable;
  const end = new AbortController();
  const onKey = (_: unknown, key?: { readonly ctrl?: boolean; readonly name?: string }): void => {
    if (key?.ctrl === true && key.name === "d") end.abort();
  };
  input.on("keypress", onKey);
  try {
    const answer = await prompt({ input, output, signal: AbortSignal.any([io.signal, end.signal]) });
    if (typeof answer === "symbol") throw new Interrupted("interrupted");
    return answer;
  } finally {
    input.off("keypress", onKey);
  }
}

export async function askYes(session: Session, message: string): Promise<boolean> {
  const { confirm } = await import("@clack/prompts");
  return ask<boolean>(session, (terminal) => confirm({ message, initialValue: false, ...terminal }));
}

export async function askText(session: Session, message: string): Promise<string> {
  const { text } = await import("@clack/prompts");
  return (await ask<string | undefined>(session, (terminal) => text({ message, ...terminal }))) ?? "";
}

export async function askSecret(session: Session, message: string): Promise<string> {
  const { password } = await import("@clack/prompts");
  return (await ask<string | undefined>(session, (terminal) => password({ message, ...terminal }))) ?? "";
}
