/**
 * The chunks of a run's streams, as they arrive.
 *
 * Owns: which chunks count. Chunks of a higher generation replace those of all lower ones (STR1), and each index counts once.
 */
import { type Signal, signal } from "@preact/signals";
import type { RunEvent } from "@holdfast/workflows/client";

export interface StreamChunks {
  readonly name: string;
  generation: number;
  /** By index. Chunks of others may be missing while they arrive. */
  chunks: unknown[];
  /** Every chunk is a text, so that they are one text. */
  isText: boolean;
  chars: number;
}

export class StreamsData {
  /** Changes with each message: the streams change in place. */
  readonly version: Signal<number> = signal(0);
  readonly #streams = new Map<string, StreamChunks>();

  get names(): readonly string[] {
    return [...this.#streams.keys()];
  }

  of(name: string): StreamChunks | undefined {
    return this.#streams.get(name);
  }

  take(events: readonly RunEvent[]): void {
    let isChanged = false;
    for (const event of events) if (event.type === "chunk") isChanged = this.#add(event.data) || isChanged;
    if (isChanged) this.version.value++;
  }

  #add({ stream, generation, index, value }: Extract<RunEvent, { type: "chunk" }>["data"]): boolean {
    const known = this.#streams.get(stream);
    if (known !== undefined && (generation < known.generation || hasChunk(known, generation, index))) return false;
    const isNew = known === undefined || generation > known.generation;
    const chunks = isNew ? { name: stream, generation, chunks: [], isText: true, chars: 0 } : known;
    chunks.chunks[index] = value;
    if (typeof value === "string") chunks.chars += value.length;
    else chunks.isText = false;
    this.#streams.set(stream, chunks);
    return true;
  }
}

function hasChunk(known: StreamChunks, generation: number, index: number): boolean {
  return generation === known.generation && index in known.chunks;
}

/** Returns the last characters of a stream of texts: all chunks of a large one would stop the page. */
export function tailOf({ chunks }: Pick<StreamChunks, "chunks">, charsMax: number): string {
  const parts: string[] = [];
  let chars = 0;
  for (let index = chunks.length - 1; index >= 0 && chars < charsMax; index--) {
    const chunk = chunks[index];
    if (typeof chunk !== "string") continue;
    parts.push(chunk);
    chars += chunk.length;
  }
  return parts.toReversed().join("").slice(-charsMax);
}
