/**
 * Streams: chunks that readers follow.
 *
 * Owns: STR1. Chunks are rows, and are numbered within a generation. Each attempt to produce a stream starts a generation,
 * which replaces all earlier chunks.
 */
import { FORMAT_VERSION, type OperationEvents, type OperationId, parseOperationId } from "@holdfast/protocol";
import { stopAtLimit } from "./cancel.ts";
import type { Draft } from "./draft.ts";
import { type ChunkRow, chunkKey } from "./rows.ts";

/** Starts a new generation for an attempt to produce a stream. Readers drop the chunks of earlier ones. */
export function startStream(draft: Draft, event: OperationEvents & { type: "stream.started" }): void {
  const { op, nth } = event;
  const { streams } = draft.header;
  const before = streams.find((stream) => stream.op === op);
  const generation = (before?.generation ?? 0) + 1;
  draft.append({ type: "stream.started", op, generation }, nth);
  const next = { op, generation };
  draft.change({
    streams: before === undefined ? [...streams, next] : streams.map((one) => (one === before ? next : one)),
  });
}

/** Stores chunks, in the commit of their report (DUR2). Chunks that do not continue the stored ones are ignored. */
export function appendChunks(draft: Draft, event: OperationEvents & { type: "stream.chunks" }): void {
  const { op, first, chunks } = event;
  const place = draft.header.streams.findIndex((stream) => stream.op === op);
  const stream = draft.header.streams[place];
  const stored = draft.state.openStreams.get(op);
  if (stream === undefined || stored === undefined || first !== stored.chunks + addedChunks(draft, op)) return;
  draft.chunks.set(op, addedChunks(draft, op) + chunks.length);
  if (
    stored.chunks + chunks.length > draft.context.limits.streamChunks ||
    stored.chars > draft.context.limits.streamChars
  )
    return endLarge(draft, op);
  const row: ChunkRow = { v: FORMAT_VERSION, at: draft.at, first, chunks };
  draft.put(chunkKey(place, stream.generation, first), row);
}

/** Stores the number of chunks of a stream that has ended. */
export function endStream(draft: Draft, op: OperationId): void {
  const stored = draft.state.openStreams.get(op);
  const { streams } = draft.header;
  if (stored === undefined || parseOperationId(op).kind !== "stream") return;
  const chunks = stored.chunks + addedChunks(draft, op);
  draft.change({ streams: streams.map((one) => (one.op === op ? { ...one, chunks } : one)) });
}

/** The number of chunks that this transition adds to the stream. */
function addedChunks(draft: Draft, op: OperationId): number {
  return draft.chunks.get(op) ?? 0;
}

function endLarge(draft: Draft, op: OperationId): void {
  const name = JSON.stringify(parseOperationId(op).name);
  stopAtLimit(
    draft,
    `The stream ${name} has ${draft.context.limits.streamChunks} chunks or ${draft.context.limits.streamChars} characters`,
  );
}
