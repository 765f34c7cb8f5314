/**
 * The rows that contain parts of the header.
 *
 * Owns: the header in memory, which is the stored one with the waits and streams that have rows of their own.
 */
import type { WriteBatch } from "../../host/store.ts";
import { RECORD_KEY, type StreamRow, type WaitRow, isRow } from "./rows.ts";
import type { RunHeader } from "./run-header.ts";
import { allStreams, applyStreamRows } from "./stream-rows.ts";
import { applyWaitRows, withWaitRows } from "./wait-rows.ts";

/** What is stored of a header. */
export interface StoredHeader {
  /** With the waits and streams of the rows. */
  readonly header: RunHeader | undefined;
  /** The open waits with rows of their own, by key. */
  readonly waitRows: Map<string, WaitRow>;
  /** The streams with rows of their own, by key. */
  readonly streamRows: Map<string, StreamRow>;
}

/** Applies a committed batch to the rows in memory, and returns the header after it. The same header, if it did not change. */
export function applyHeaderRows(
  { header, waitRows, streamRows }: StoredHeader,
  batch: WriteBatch,
): RunHeader | undefined {
  const inHeader = (header?.streams.length ?? 0) - streamRows.size;
  const written = batch.puts.get(RECORD_KEY);
  applyWaitRows(waitRows, batch);
  const hasStreams = applyStreamRows(streamRows, batch);
  if (isRow(RECORD_KEY, RECORD_KEY, written)) return withRows(written, waitRows, streamRows);
  // Its waits change only together with the header (WR2).
  if (header === undefined || !hasStreams) return header;
  return { ...header, streams: allStreams(header.streams.slice(0, inHeader), streamRows) };
}

/** Returns what is stored after a batch is committed, and applies nothing. */
export function storedAfter({ header, waitRows, streamRows }: StoredHeader, batch: WriteBatch): StoredHeader {
  const rows = { waitRows: new Map(waitRows), streamRows: new Map(streamRows) };
  return { ...rows, header: applyHeaderRows({ header, ...rows }, batch) };
}

/** Returns the header with all open waits and all streams, from the stored header and the rows. */
export function withRows(
  stored: RunHeader,
  waitRows: ReadonlyMap<string, WaitRow>,
  streamRows: ReadonlyMap<string, StreamRow>,
): RunHeader {
  const header = withWaitRows(stored, waitRows);
  return streamRows.size === 0 ? header : { ...header, streams: allStreams(header.streams, streamRows) };
}
