/**
 * Streams that have rows of their own.
 *
 * Owns: which streams are in the stored header, and which have a row. A run keeps all its streams, and the header is written
 * whole, so it has only the first `headerStreams` of them: what a stream costs does not grow with their number. In memory the
 * header has all of them, and no decision depends on where one is stored.
 *
 * Invariants
 * - SR1 The streams in the stored header, followed by the rows in the order of their keys, are in the order in which they
 *   started. A stream stays where it was stored first: its place is part of the keys of its chunks.
 * - SR2 A change of streams that have rows writes these rows, and not the header. The header names the feature, so older code
 *   refuses such a run (VER4).
 */
import { FORMAT_VERSION } from "@holdfast/protocol";
import type { WriteBatch } from "../../host/store.ts";
import { STREAM_PREFIX, type StreamRow, isRow, streamKey } from "./rows.ts";
import type { RunHeader, StreamState } from "./run-header.ts";

/** The feature of rows that older versions do not know (VER4). */
const FEATURE = "stream rows";

/** The streams with rows, by key, in the order in which they started. */
export type StreamRows = ReadonlyMap<string, StreamRow>;

export function hasStreamRows({ uses = [] }: RunHeader): boolean {
  return uses.includes(FEATURE);
}

/**
 * Writes the rows of the streams that changed. Returns the header as it is stored; `undefined`: it is stored already (SR2).
 * @param before The header and the rows before the transition.
 */
export function storeStreams(
  put: (key: string, row: object) => void,
  header: RunHeader,
  before: { readonly header: RunHeader | undefined; readonly streamRows: StreamRows },
  max: number,
): RunHeader | undefined {
  const { streams, uses = [] } = header;
  const known = before.header?.streams ?? [];
  // Earlier code stored all of them in the header.
  const inHeader = before.streamRows.size > 0 ? known.length - before.streamRows.size : Math.max(known.length, max);
  if (streams.length <= inHeader) return header;
  if (streams !== known) {
    for (const [at, stream] of streams.slice(inHeader).entries()) {
      const place = inHeader + at;
      if (stream !== known[place]) put(streamKey(place), { ...stream, v: FORMAT_VERSION } satisfies StreamRow);
    }
  }
  const first = streams.slice(0, inHeader);
  if (before.header !== undefined && hasStreamRows(header) && isEqual({ ...header, streams: known }, before.header))
    if (first.every((stream, place) => stream === known[place])) return undefined;
  return { ...header, streams: first, uses: hasStreamRows(header) ? uses : [...uses, FEATURE] };
}

/** Whether two headers have the same values: a change of a part makes another part. */
function isEqual(one: RunHeader, other: RunHeader): boolean {
  const parts = new Map<string, unknown>(Object.entries(other));
  const entries = Object.entries(one);
  return entries.length === parts.size && entries.every(([name, part]) => parts.get(name) === part);
}

/** Applies a committed batch to the rows in memory. Returns whether it has such rows. */
export function applyStreamRows(rows: Map<string, StreamRow>, { puts }: WriteBatch): boolean {
  let has = false;
  for (const [key, row] of puts) {
    if (!isRow(STREAM_PREFIX, key, row)) continue;
    rows.set(key, row);
    has = true;
  }
  return has;
}

/** Returns the streams in the stored header, followed by those with rows. */
export function allStreams(first: readonly StreamState[], rows: StreamRows): readonly StreamState[] {
  return rows.size === 0 ? first : [...first, ...rows.values()];
}
