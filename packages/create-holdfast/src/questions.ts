/**
 * The two questions, for a person at a terminal.
 *
 * Owns: the only use of the prompts. Ctrl-C and Ctrl-D end the command before anything is written.
 */
import type { Readable, Writable } from "node:stream";
import { select, text } from "@clack/prompts";
import { checkFolder } from "./folder.ts";
import { DESCRIPTIONS, KINDS, type Kind } from "./kinds.ts";
import { Refusal, STATUS } from "./refusal.ts";

/** Where the questions are asked. */
export interface Terminal {
  readonly input: Readable;
  readonly output: Writable;
}

/** Asks for the name of the folder until it can be used. */
export async function askFolder(standard: string, cwd: string, terminal: Terminal): Promise<string> {
  return ask<string>(terminal, (place) =>
    text({
      ...place,
      message: "Where shall the project be?",
      placeholder: standard,
      defaultValue: standard,
      validate: (given) => problemOf(given === undefined || given === "" ? standard : given, cwd),
    }),
  );
}

export async function askKind(terminal: Terminal): Promise<Kind> {
  return ask<Kind>(terminal, (place) =>
    select<Kind>({
      ...place,
      message: "Where shall your workflows execute?",
      options: KINDS.map((value) => ({
        value,
        label: DESCRIPTIONS[value].label,
        hint: DESCRIPTIONS[value].hint,
      })),
    }),
  );
}

function problemOf(folder: string, cwd: string): string | undefined {
  try {
    checkFolder(folder, cwd);
    return undefined;
  } catch (error) {
    return error instanceof Refusal ? error.message.replace("create-holdfast: ", "") : String(error);
  }
}

type Place = Terminal & { readonly signal: AbortSignal };

/** Ctrl-D closes the input of a prompt, which would never answer then. */
async function ask<T extends string>(terminal: Terminal, prompt: (place: Place) => Promise<T | symbol>): Promise<T> {
  const end = new AbortController();
  const onKey = (_: unknown, key?: { readonly ctrl?: boolean; readonly name?: string }): void => {
    if (key?.ctrl === true && key.name === "d") end.abort();
  };
  terminal.input.on("keypress", onKey);
  const answer = await prompt({ ...terminal, signal: end.signal });
  terminal.input.off("keypress", onKey);
  if (typeof answer === "symbol")
    throw new Refusal("create-holdfast: interrupted. Nothing was written.", STATUS.interrupted);
  return answer;
}
