/**
 * Streams: chunks that readers follow.
 *
 * Owns: STR1. Chunks are rows, and are numbered within a generation. Each attempt to produce a stream starts a generation,
 * which replaces all earlier chunks.
 */
import { FORMAT_VERSION, type OperationEvents, type OperationId, parseOperationId } from "@holdfast/protocol";
import { stopAtLimit } from "./cancel.ts";
import type { Draft } from "./draft/draft.ts";
import { type ChunkRow, chunkKey } from "./state/rows.ts";
import type { OpenStream } from "./state/run-state.ts";

/** Starts a new generation for an attempt to produce a stream. Readers drop the chunks of earlier ones. */
export function startStream(draft: Draft, event: OperationEvents & { type: "stream.started" }): void {
  const { op, nth } = event;
  const { streams } = draft.header;
  const before = streams.find((stream) => stream.op === op);
  const generation = (before?.generation ?? 0) + 1;
  draft.append({ type: "stream.started", op, generation }, nth);
  draft.openStreams.set(op, { chunks: 0, chars: 0 });
  const next = { op, generation };
  draft.change({
    streams: before === undefined ? [...streams, next] : streams.map((one) => (one === before ? next : one)),
  });
}

/** Stores chunks, in the commit of their report (DUR2). Chunks that do not continue the earlier ones are ignored. */
export function appendChunks(draft: Draft, event: OperationEvents & { type: "stream.chunks" }): void {
  const { op, first, chunks } = event;
  const place = draft.header.streams.findIndex((stream) => stream.op === op);
  const stream = draft.header.streams[place];
  const before = openStream(draft, op);
  if (stream === undefined || before === undefined || first !== before.chunks) return;
  const after = {
    chunks: before.chunks + chunks.length,
    chars: chunks.reduce((sum, chunk) => sum + chunk.length, before.chars),
  };
  const { streamChunks, streamChars } = draft.context.limits;
  if (after.chunks > streamChunks || after.chars > streamChars) return endLarge(draft, op);
  draft.openStreams.set(op, after);
  const row: ChunkRow = { v: FORMAT_VERSION, at: draft.at, first, chunks };
  draft.put(chunkKey(place, stream.generation, first), row);
}

/** Stores the number of chunks of a stream that has ended. */
export function endStream(draft: Draft, op: OperationId): void {
  const open = openStream(draft, op);
  const { streams } = draft.header;
  if (open === undefined || parseOperationId(op).kind !== "stream") return;
  draft.change({ streams: streams.map((one) => (one.op === op ? { ...one, chunks: open.chunks } : one)) });
}

/** The chunks of the newest generation: the stored ones, and those of this transition. */
function openStream(draft: Draft, op: OperationId): OpenStream | undefined {
  return draft.openStreams.get(op) ?? draft.state.openStreams.get(op);
}

function endLarge(draft: Draft, op: OperationId): void {
  const name = JSON.stringify(parseOperationId(op).name);
  stopAtLimit(
    draft,
    `The stream ${name} has ${draft.context.limits.streamChunks} chunks or ${draft.context.limits.streamChars} characters`,
  );
}
