/**
 * Oracle on streams: a stream that ended has exactly the chunks of its program, in order, in its newest generation (STR1).
 */
import { type ChunkRow, chunkPrefix } from "@holdfast/orchestrator";
import { decodeValue, parseOperationId } from "@holdfast/protocol";
import { findPrograms } from "../program.ts";
import type { ObservedRun } from "./observed-run.ts";

export function checkStreams({ host: { header, journal, store }, program }: ObservedRun): string[] {
  const sizes = new Map(findPrograms(program, "stream").map(({ id, chunks }) => [`st${id}`, chunks]));
  return header.streams.flatMap(({ op, generation, chunks }, place) => {
    const size = sizes.get(parseOperationId(op).name) ?? 0;
    const rows = [...store.list(chunkPrefix(place, generation))].map(([, row]) => row as ChunkRow);
    const found = rows.flatMap((row) => row.chunks).map((chunk) => decodeValue(chunk));
    const started = journal.filter((entry) => entry.type === "stream.started" && entry.op === op);
    const problems: string[] = [];
    if (found.some((chunk, position) => chunk !== position) || found.length > size)
      problems.push(`${op} has the chunks ${found.join()} of ${size}`);
    const ended = journal.some((entry) => entry.type === "step.completed" && entry.op === op);
    if (ended && (found.length !== size || chunks !== size))
      problems.push(`${op} ended with ${found.length} of ${size}`);
    const generations = started.map((entry) => (entry.type === "stream.started" ? entry.generation : 0));
    if (generations.some((number, position) => number !== position + 1) || generations.length !== generation)
      problems.push(`${op} has the generations ${generations.join()}, and is in generation ${generation}`);
    return problems;
  });
}
