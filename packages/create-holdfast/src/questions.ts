/**
 * The two questions, for a person at a terminal.
 *
 * Owns: the only use of the prompts. Ctrl-C ends the command before anything is written.
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
  const answer = await text({
    ...terminal,
    message: "Where shall the project be?",
    placeholder: standard,
    defaultValue: standard,
    validate: (given) => problemOf(given === undefined || given === "" ? standard : given, cwd),
  });
  return answered(answer);
}

export async function askKind(terminal: Terminal): Promise<Kind> {
  return answered<Kind>(
    await select<Kind>({
      ...terminal,
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

function answered<T extends string>(answer: T | symbol): T {
  if (typeof answer === "symbol")
    throw new Refusal("create-holdfast: interrupted. Nothing was written.", STATUS.interrupted);
  return answer;
}
