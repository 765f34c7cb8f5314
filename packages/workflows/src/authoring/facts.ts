/**
 * `ctx.metadata` and `ctx.stream`: data that readers see while a run executes.
 */
import {
  HoldfastError,
  type Metadata,
  type MetadataChange,
  changeMetadata,
  encodeValue,
  invalid,
  metadataFits,
} from "@holdfast/protocol";
import * as LIMITS from "@holdfast/protocol/limits";
import type { Execution } from "../replay/execution.ts";
import type { OpenOperation } from "../replay/operation.ts";
import { captureContext } from "../replay/step-scope.ts";
import { checkName } from "./checks.ts";
import type { RetryDefault } from "./steps.ts";
import type { StepContext } from "../step-context.ts";
import type { MetadataWriter, StreamSource, StreamWriter } from "./types.ts";

export function metadataWriter(execution: Execution): MetadataWriter {
  let metadata: Metadata = [];
  const change = (where: string, key: string, build: () => MetadataChange): void => {
    checkName(key, where);
    const built = build();
    const next = changeMetadata(metadata, built);
    if (!metadataFits(next)) {
      throw new HoldfastError(
        "LIMIT_EXCEEDED",
        `${where}(${JSON.stringify(key)}): the run's metadata would take more than ${LIMITS.metadataChars} characters, which is the limit. Shorten lists, or stream them.`,
      );
    }
    metadata = next;
    execution.operations.request("metadata", key, { type: "metadata", change: built });
  };
  return {
    set: (key, value) =>
      change("ctx.metadata.set", key, () => ({ type: "set", key, value: encodeValue(value, `metadata ${key}`) })),
    append: (key, value) =>
      change("ctx.metadata.append", key, () => ({ type: "append", key, value: encodeValue(value, `metadata ${key}`) })),
    remove: (key) => change("ctx.metadata.remove", key, () => ({ type: "remove", key })),
    increment: (key, by = 1) => {
      if (!Number.isFinite(by)) throw invalid("ctx.metadata.increment.by", "must be a finite number.");
      change("ctx.metadata.increment", key, () => ({ type: "increment", key, by }));
    },
  };
}

/** What the chunks of a stream must be. */
type IsChunk = (chunk: unknown) => boolean;

const isText: IsChunk = (chunk) => typeof chunk === "string";
const isBytes: IsChunk = (chunk) => Object(chunk).byteLength >= 0;

export function streamWriter(execution: Execution, policy: RetryDefault): StreamWriter {
  const write =
    (isChunk: IsChunk = () => true) =>
    (id: string, source: StreamSource<unknown>): Promise<number> =>
      writeStream(execution, policy, id, source, isChunk);
  const text = write(isText);
  return Object.assign(write(), {
    text: (id: string, source: string | StreamSource<string>) =>
      text(id, typeof source === "string" ? [source] : source),
    json: write(),
    bytes: write(isBytes),
  }) as StreamWriter;
}

/** Executes a stream as a step whose body reports chunks before it ends (STR1). */
function writeStream(
  execution: Execution,
  policy: RetryDefault,
  id: string,
  source: StreamSource<unknown>,
  isChunk: IsChunk,
): Promise<number> {
  const where = `ctx.stream(${JSON.stringify(id)})`;
  checkName(id, "ctx.stream");
  if (execution.operations.nextId("stream", id) !== `stream/0/${id}`) {
    throw invalid(where, "this run already has a stream with this id. Choose another id.");
  }
  const fn = async ({ attempt }: StepContext): Promise<number> => {
    let count = 0;
    for await (const chunk of chunksOf(source, where)) {
      if (!isChunk(chunk)) {
        throw invalid(where, `each chunk must be ${isChunk === isText ? "a string" : "bytes, such as a Uint8Array"}.`);
      }
      const encoded = encodeChunk(chunk, id);
      if (!execution.bodies.isCurrent(operation.id, attempt)) break;
      await execution.emit({
        type: "stream.chunks",
        op: operation.id,
        nth: operation.nth,
        first: count,
        chunks: [encoded],
      });
      count += 1;
    }
    return count;
  };
  // What an attempt has read of an iterator, another one cannot read. A function makes a new one.
  const retry = typeof source === "function" ? policy.current : { ...policy.current, max: 1 };
  const step = { fn, retry, timeoutMs: undefined, once: false, context: captureContext() };
  const operation: OpenOperation = execution.operations.request("stream", id, { type: "step", step });
  return execution.races.promiseOf(operation);
}

/** @throws HoldfastError `INVALID_ARGUMENT` if there is nothing to read: only the body may throw it, which is journaled. */
function chunksOf(source: StreamSource<unknown>, where: string): Iterable<unknown> | AsyncIterable<unknown> {
  const chunks = typeof source === "function" ? source() : source;
  if ([Symbol.asyncIterator, Symbol.iterator].some((key) => key in Object(chunks))) return chunks;
  throw invalid(
    where,
    'needs a function that yields chunks, as in ctx.stream("n", function* () { yield 1; }), or a list.',
  );
}

function encodeChunk(chunk: unknown, id: string): string {
  const encoded = encodeValue(chunk, `A chunk of the stream ${JSON.stringify(id)}`);
  if (encoded.length <= LIMITS.chunkChars) return encoded;
  throw new HoldfastError(
    "TOO_LARGE",
    `A chunk of the stream ${JSON.stringify(id)} takes ${encoded.length} characters; the limit is ${LIMITS.chunkChars}. Split it.`,
  );
}
