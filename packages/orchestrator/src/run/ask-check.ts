/**
 * The check of an ask, which the execution sends as JSON (ASK2).
 *
 * Owns: its fields and their bounds. A problem names the field and says what to do. It becomes the error with which the
 * wait rejects, so nothing of an invalid ask is stored.
 */
import { ASK_RISKS, type Ask, HOST_LIMITS as MAX, readProperty } from "@holdfast/protocol";
import { answerIssues } from "../json-schema/answer.ts";
import { schemaProblem } from "../json-schema/schema-check.ts";

/** Returns what is wrong with a value; `undefined`: nothing. */
type Check = (value: unknown, path: string) => string | undefined;

/** Returns the ask, or what is wrong with it. */
export function readAsk(text: string): { readonly ask: Ask } | { readonly problem: string } {
  if (text.length > MAX.askChars)
    return { problem: `ask: has ${text.length} characters as JSON; at most ${MAX.askChars} are allowed.` };
  let ask: Ask;
  try {
    ask = JSON.parse(text);
  } catch {
    return { problem: "ask: must be JSON." };
  }
  const problem = isDeeper(ask, MAX.askDepth)
    ? `ask: is nested more than ${MAX.askDepth} levels deep.`
    : (askProblem(ask, "ask") ?? misfit(ask));
  return problem === undefined ? { ask } : { problem };
}

/** A choice that the schema refuses could never be taken. */
function misfit({ schema, choices = [] }: Ask): string | undefined {
  if (schema === undefined) return undefined;
  for (const [place, { value }] of choices.entries()) {
    const [issue] = answerIssues(schema, value);
    if (issue !== undefined)
      return `ask.choices[${place}].value: does not fit the schema: ${`${issue.path} ${issue.message}`.trim()}.`;
  }
  return undefined;
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((one) => isDeeper(one, levels - 1));
}

const isTitle: Check = (value, path) => {
  if (typeof value !== "string" || value.trim() === "")
    return `${path}: must be a line of text that says what is asked.`;
  if (value.length > MAX.askTitleChars)
    return `${path}: has ${value.length} characters; at most ${MAX.askTitleChars} are allowed. Put the rest into details.`;
  return /[\p{Cc}\u2028\u2029]/u.test(value) ? `${path}: must be one line, without control characters.` : undefined;
};

const isDetails: Check = (value, path) => {
  if (typeof value !== "string") return `${path}: must be text (Markdown).`;
  return value.length <= MAX.askDetailsChars
    ? undefined
    : `${path}: has ${value.length} characters; at most ${MAX.askDetailsChars} are allowed. Store long texts elsewhere, and link to them.`;
};

const isRisk: Check = (value, path) =>
  ASK_RISKS.some((risk) => risk === value) ? undefined : `${path}: must be one of ${ASK_RISKS.join(", ")}.`;

const isSchema: Check = (value, path) => {
  const chars = JSON.stringify(value).length;
  if (chars <= MAX.askSchemaChars) return schemaProblem(value, path);
  return `${path}: has ${chars} characters as JSON; at most ${MAX.askSchemaChars} are allowed. Ask for less at a time, or leave descriptions out.`;
};

const isLabel: Check = (value, path) =>
  typeof value === "string" && value.trim() !== "" && value.length <= MAX.askLabelChars
    ? undefined
    : `${path}: must be text of 1 to ${MAX.askLabelChars} characters.`;

const isValue: Check = (value, path) =>
  value !== undefined && JSON.stringify(value).length <= MAX.askValueChars
    ? undefined
    : `${path}: must be a JSON value of at most ${MAX.askValueChars} characters.`;

const isChoice = object({ label: isLabel, value: isValue }, ["label", "value"]);

const isChoices: Check = (value, path) => {
  const problem = listProblem(value, path, 1, MAX.askChoices, isChoice);
  if (problem !== undefined || !Array.isArray(value)) return problem;
  const labels = value.map(({ label }) => label);
  const twice = labels.findIndex((label, place) => labels.indexOf(label) < place);
  return twice === -1 ? undefined : `${path}[${twice}].label: another choice has it, too. Labels must differ.`;
};

const isAssignee: Check = (value, path) =>
  typeof value === "string" && value !== "" && value.length <= MAX.askAssigneeChars
    ? undefined
    : `${path}: must be text of 1 to ${MAX.askAssigneeChars} characters, such as "role:finance".`;

const askProblem: Check = object(
  {
    title: isTitle,
    details: isDetails,
    schema: isSchema,
    choices: isChoices,
    assignees: (value, path) => listProblem(value, path, 0, MAX.askAssignees, isAssignee),
    risk: isRisk,
  },
  ["title"],
);

/** An object with these fields and no others (RUN7). */
function object(fields: Readonly<Record<string, Check>>, required: readonly string[]): Check {
  return (value, path) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return `${path}: must be an object.`;
    const names = Object.keys(value);
    const unknown = names.find((name) => !Object.hasOwn(fields, name));
    if (unknown !== undefined)
      return `${path}.${unknown}: unknown field. Known are: ${Object.keys(fields).join(", ")}.`;
    for (const name of new Set([...required, ...names])) {
      const problem = fields[name]?.(readProperty(value, name), `${path}.${name}`);
      if (problem !== undefined) return problem;
    }
    return undefined;
  };
}

function listProblem(value: unknown, path: string, min: number, max: number, item: Check): string | undefined {
  if (!Array.isArray(value) || value.length < min || value.length > max)
    return `${path}: must be a list of ${min} to ${max} elements.`;
  for (const [place, one] of value.entries()) {
    const problem = item(one, `${path}[${place}]`);
    if (problem !== undefined) return problem;
  }
  return undefined;
}
