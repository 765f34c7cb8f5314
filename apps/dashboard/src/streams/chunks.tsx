/**
 * The chunks of one stream: as one text, or one by one.
 *
 * Owns: how much of them is in the document, and the scroll position, which stays at the end while chunks arrive unless the
 * reader went elsewhere.
 */
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { JSX } from "preact";
import { windowOf } from "../timeline/row-window.ts";
import { visible } from "../ui/text.tsx";
import { Tree } from "../ui/tree.tsx";
import { type StreamChunks, tailOf } from "./stream-data.ts";

interface ChunksProps {
  readonly stream: StreamChunks;
  /** The stream changes in place: this number changes with it. */
  readonly version: number;
}

const TEXT_CHARS = 64 * 1_024;
const ROW_PX = 28;
const HEIGHT_PX = 480;
const LINE_CHARS = 300;

/** Keeps an element at its end while it grows. Returns the handler of its scrolling. */
function useEnd(element: { readonly current: HTMLElement | null }, version: unknown): () => void {
  const isAtEnd = useRef(true);
  useLayoutEffect(() => {
    if (element.current !== null && isAtEnd.current) element.current.scrollTop = element.current.scrollHeight;
  }, [version]);
  return () => {
    const { scrollTop = 0, clientHeight = 0, scrollHeight = 0 } = element.current ?? {};
    isAtEnd.current = scrollTop + clientHeight >= scrollHeight - ROW_PX;
  };
}

export function ChunkText({ stream, version }: ChunksProps): JSX.Element {
  const [all, setAll] = useState(false);
  const element = useRef<HTMLPreElement>(null);
  const onScroll = useEnd(element, version);
  const text = tailOf(stream, all ? Infinity : TEXT_CHARS);
  return (
    <>
      {stream.chars > text.length && (
        <p class="unloaded">
          {(stream.chars - text.length).toLocaleString("en")} earlier characters are not shown.
          <button type="button" onClick={() => setAll(true)}>
            Show all {stream.chars.toLocaleString("en")}
          </button>
        </p>
      )}
      <pre ref={element} class="stream-text" tabIndex={0} aria-label="The text of the stream" onScroll={onScroll}>
        <bdi>{visible(text)}</bdi>
      </pre>
    </>
  );
}

export function ChunkList({ stream, version }: ChunksProps): JSX.Element {
  const [top, setTop] = useState(0);
  const [open, setOpen] = useState<number>();
  const element = useRef<HTMLDivElement>(null);
  const keepEnd = useEnd(element, version);
  const { chunks } = stream;
  const { from, to } = windowOf(top, HEIGHT_PX, ROW_PX, chunks.length);
  const onScroll = (): void => {
    keepEnd();
    setTop(element.current?.scrollTop ?? 0);
  };
  return (
    <>
      <div class="journal-scroll" ref={element} tabIndex={0} role="region" aria-label="Chunks" onScroll={onScroll}>
        <ol style={{ height: `${chunks.length * ROW_PX}px` }}>
          {chunks.slice(from, to).map((chunk, offset) => (
            <Chunk
              key={from + offset}
              chunk={chunk}
              index={from + offset}
              count={chunks.length}
              isOpen={from + offset === open}
              onOpen={setOpen}
            />
          ))}
        </ol>
      </div>
      {open !== undefined && open < chunks.length && (
        <section class="journal-entry" aria-label={`Chunk ${open}`}>
          <Tree value={chunks[open]} />
        </section>
      )}
    </>
  );
}

interface ChunkProps {
  readonly chunk: unknown;
  readonly index: number;
  readonly count: number;
  readonly isOpen: boolean;
  readonly onOpen: (index: number) => void;
}

function Chunk({ chunk, index, count, isOpen, onOpen }: ChunkProps): JSX.Element {
  return (
    <li style={{ top: `${index * ROW_PX}px` }} aria-setsize={count} aria-posinset={index + 1}>
      <button type="button" aria-pressed={isOpen} onClick={() => onOpen(index)}>
        <span class="journal-seq">{index}</span>
        <bdi>{visible(lineOf(chunk))}</bdi>
      </button>
    </li>
  );
}

function lineOf(chunk: unknown): string {
  const text = typeof chunk === "string" ? chunk : (JSON.stringify(chunk) ?? "");
  return text.length > LINE_CHARS ? `${text.slice(0, LINE_CHARS)}…` : text;
}
