/**
 * Turns the OpenAPI document into the page docs/reference/http.md.
 */
import type { JsonSchema } from "../../packages/orchestrator-cloudflare/src/api/answers/answers.ts";
import type { Document, DocumentedOperation } from "./document.ts";

/** Schemas whose fields the page does not list. */
const WITHOUT_SECTION: ReadonlySet<string> = new Set(["Refusal", "Document"]);

export function makeReference({ paths, components }: Document): string {
  const operations = Object.entries(paths).flatMap(([path, verbs]) =>
    Object.entries(verbs).map(([verb, operation]) => section(verb.toUpperCase(), path, operation)),
  );
  const schemas = Object.entries(components.schemas).flatMap(([name, schema]) =>
    WITHOUT_SECTION.has(name) ? [] : [`### ${name}\n\n${fields(schema)}`],
  );
  return `---
title: HTTP reference
kind: reference
summary: Every route of the HTTP API with its parameters, body and answers.
next: reference/errors/http.md
---

# HTTP reference

Made from [openapi.json](../openapi.json), which every deployment serves at \`/openapi.json\`, by \`pnpm openapi\`.
[The guide](http-guide.md) has examples.

${operations.join("\n\n")}

## Answers

${schemas.join("\n\n")}
`;
}

function section(verb: string, path: string, operation: DocumentedOperation): string {
  const { summary, description, parameters = [], requestBody, responses } = operation;
  const given = parameters.map(({ name, in: where, schema, description: meaning }) => [
    `\`${name}\``,
    where,
    typeOf(schema),
    meaning ?? textOf(schema),
  ]);
  const answers = Object.entries(responses).map(([status, { description: what, content = {} }]) => {
    const [schema] = Object.values(content);
    const named = schema === undefined || Number(status) >= 400 ? "" : nameOf(schema.schema);
    return [status, named === "" || WITHOUT_SECTION.has(named) ? what : `${what} ${linkTo(named)}`];
  });
  return [
    `## ${verb} ${path}`,
    [summary, description].filter(Boolean).join(" "),
    given.length === 0 ? "" : table(["parameter", "in", "type", ""], given),
    requestBody === undefined ? "" : `Body:\n\n${fields(requestBody.content["application/json"].schema)}`,
    table(["status", ""], answers),
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

function fields(schema: JsonSchema): string {
  const { properties = {}, required = [] } = schema as {
    readonly properties?: Readonly<Record<string, JsonSchema>>;
    readonly required?: readonly string[];
  };
  const rows = Object.entries(properties).map(([name, field]) => [
    `\`${name}\`${required.includes(name) ? "" : "?"}`,
    typeOf(field),
    textOf(field),
  ]);
  if (rows.length === 0) return textOf(schema) || "Nothing, or `{}`.";
  return table(["field", "type", ""], rows);
}

function typeOf(schema: JsonSchema): string {
  const {
    type,
    enum: values,
    items,
    anyOf,
    const: constant,
    minimum,
    maximum,
    default: otherwise,
  } = schema as {
    readonly type?: string | readonly string[];
    readonly enum?: readonly unknown[];
    readonly items?: JsonSchema;
    readonly anyOf?: readonly JsonSchema[];
    readonly const?: unknown;
    readonly minimum?: number;
    readonly maximum?: number;
    readonly default?: unknown;
  };
  const named = nameOf(schema);
  if (named !== "") return linkTo(named);
  if (values !== undefined) return values.map((value) => `\`${String(value)}\``).join(", ");
  if (constant !== undefined) return `\`${JSON.stringify(constant)}\``;
  if (anyOf !== undefined) return anyOf.map(typeOf).join(" or ");
  if (items !== undefined) return `list of ${typeOf(items)}`;
  const range = maximum === undefined ? "" : ` ${minimum ?? 0} to ${maximum}`;
  const preset = otherwise === undefined ? "" : `, default \`${JSON.stringify(otherwise)}\``;
  return `${typeof type === "string" ? type : (type?.join(" or ") ?? "any JSON")}${range}${preset}`;
}

function linkTo(name: string): string {
  return `[${name}](#${name.toLowerCase()})`;
}

function nameOf({ $ref: reference = "" }: JsonSchema & { readonly $ref?: string }): string {
  return reference.replace("#/components/schemas/", "");
}

function textOf({ description }: JsonSchema & { readonly description?: string }): string {
  return description ?? "";
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

function line(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}
