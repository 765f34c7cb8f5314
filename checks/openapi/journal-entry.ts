/**
 * The entries of a journal as JSON Schema, as `GET /api/runs/{id}/journal` shows them.
 *
 * Owns: the fields of each type of entry. The compiler checks that a type has the fields of `EntryBody`. An entry of a type that
 * this version does not know fits too: newer code may have written it.
 */
import type { Ask, EntryBody, JournalEntry, OperationId } from "@holdfast/protocol";
import { ANSWERS, type JsonSchema } from "../../packages/orchestrator-cloudflare/src/api/answers/answers.ts";
import {
  type Fields,
  anything,
  listOf,
  object,
  oneOf,
  text,
  time,
  whole,
} from "../../packages/orchestrator-cloudflare/src/api/answers/json-schemas.ts";

type Type = EntryBody["type"];

/** The fields of one type of entry, beside those of every entry. */
type Own<T extends Type> = Omit<Extract<EntryBody, { readonly type: T }>, "type" | "op">;

const operation = object<{ kind: string; occurrence: number; name: string }>({
  kind: text,
  occurrence: whole,
  name: text,
});

const {
  category: _category,
  step: _step,
  ...errorFields
} = ANSWERS.RunError["properties"] as Record<string, JsonSchema>;
const error: JsonSchema = {
  type: "object",
  properties: errorFields,
  required: ["message"],
  description: "`fields` of the thrown error may be here too.",
};

const always: Fields<Omit<JournalEntry, keyof EntryBody | "v" | "quiet"> & { operation: OperationId }> = {
  seq: { ...whole, minimum: 1, description: "The position in the journal, from 1, without gaps." },
  at: time,
  asked: { ...whole, description: "How many operations the function had requested when the entry was made." },
  nth: { ...whole, description: "The position of the operation among those that the function requested, from 1." },
  operation,
  "after?": {
    ...whole,
    description: "The `seq` of the outcome after which the function requested the operation; 0: none.",
  },
  "use?": whole,
};

const started = { startedAt: time };
const attempted = {
  ...started,
  attempt: { ...whole, description: "From 1. 0: a caller of resume gave the result." },
  "progress?": anything,
};
const ask = object<Ask>({
  title: text,
  "details?": text,
  "schema?": anything,
  "choices?": listOf(object({ label: text, value: anything })),
  "assignees?": listOf(text),
  "risk?": oneOf("low", "medium", "high"),
});
/** A sleep may end before 1970. */
const wakeAt: JsonSchema = { type: "integer", description: "Milliseconds since 1970." };
const yes: JsonSchema = { const: true };

const TYPES: { readonly [T in Type]: Fields<Own<T>> } = {
  "step.started": started,
  "step.retrying": { ...attempted, retryAt: time, "max?": whole, error },
  "step.completed": { ...attempted, value: anything, "seeded?": yes, "compensable?": yes, "shielded?": yes },
  "step.failed": { ...attempted, error },
  "wait.opened": { "wakeAt?": wakeAt, "tokenId?": { ...text, description: "Needs the scope `deliver`." }, "ask?": ask },
  "wait.resolved": { value: anything, "deliveryId?": text, "answeredBy?": text },
  "wait.timed_out": {},
  "wait.released": { "by?": operation, "value?": anything },
  "child.started": { runId: text, "detached?": yes },
  "child.ended": {
    outcome: {
      type: "object",
      properties: { runId: text, status: text, output: anything, error },
      required: ["runId", "status"],
    },
  },
  "run.unwinding": { cause: oneOf("failure", "cancel", "timeout", "request"), error },
  "metadata.changed": {
    change: {
      type: "object",
      properties: {
        type: oneOf("set", "increment", "append", "remove"),
        key: text,
        value: anything,
        by: { type: "number" },
      },
      required: ["type", "key"],
    },
  },
  "stream.started": { generation: whole },
};

/** Returns the schema of one entry. */
export function journalEntrySchema(): JsonSchema {
  const known = Object.entries(TYPES).map(([type, own]) => {
    const { additionalProperties: _closed, ...schema } = object({ ...always, type: { const: type }, ...own });
    return schema;
  });
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Journal entry",
    description: "One entry of GET /api/runs/{id}/journal. A reader ignores fields and types that it does not know.",
    anyOf: [
      ...known,
      {
        type: "object",
        properties: { seq: whole, at: time, type: { type: "string", not: { enum: Object.keys(TYPES) } }, operation },
        required: ["seq", "at", "type", "operation"],
      },
    ],
  };
}

/** Returns the schema of the record of a run, with the schemas that it refers to. */
export function runSchema(): JsonSchema {
  const definitions: Record<string, JsonSchema> = {};
  const localize = (schema: unknown): unknown => {
    const json = JSON.stringify(schema);
    for (const [, name = ""] of json.matchAll(/"#\/components\/schemas\/(\w+)"/gu)) {
      if (name in definitions) continue;
      definitions[name] = {};
      definitions[name] = Object(localize(ANSWERS[name as keyof typeof ANSWERS]));
    }
    return JSON.parse(json.replaceAll("#/components/schemas/", "#/$defs/"));
  };
  const record = Object(localize(ANSWERS.Run)) as JsonSchema;
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Run",
    description: "The record of a run: the answer of GET /api/runs/{id}.",
    ...record,
    $defs: definitions,
  };
}
