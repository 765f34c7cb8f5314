/**
 * The streams of a run: a list of them, and the chunks of the one that is chosen.
 *
 * Owns: which stream and which form is shown. What is chosen is in the URL.
 */
import { useEffect, useMemo, useState } from "preact/hooks";
import type { RunRecord } from "@holdfast/workflows/client";
import type { JSX } from "preact";
import { LiveIndicator } from "../live/indicator.tsx";
import type { LiveState } from "../live/follow.ts";
import { session } from "../session.ts";
import { visible } from "../ui/text.tsx";
import { ChunkList, ChunkText } from "./chunks.tsx";
import { type StreamChunks, StreamsData } from "./stream-data.ts";
import { watchStreams } from "./watch-streams.ts";

export interface StreamsTabProps {
  readonly run: RunRecord;
  /** The newest entry of the journal that is loaded. */
  readonly seq: number;
  /** The operation of the URL: `stream/0/name`. */
  readonly op: string | undefined;
  readonly onSelect: (op: string) => void;
}

export function StreamsTab({ run, seq, op, onSelect }: StreamsTabProps): JSX.Element {
  const data = useMemo(() => new StreamsData(), [run.id]);
  const [state, setState] = useState<LiveState>("connecting");
  useEffect(
    () => watchStreams({ runId: run.id, seq, take: (events) => data.take(events), onState: setState }),
    [run.id, session.value],
  );
  void data.version.value;
  const names = [...new Set([...Object.keys(run.streams), ...data.names])];
  const named = /^stream\/\d+\/(.*)$/s.exec(op ?? "")?.[1];
  const chosen = names.find((name) => name === named) ?? names[0];
  if (chosen === undefined) return <NoStreams />;
  return (
    <div class="streams">
      <StreamList run={run} data={data} names={names} chosen={chosen} onSelect={onSelect} />
      <Stream key={`${run.id} ${chosen}`} run={run} data={data} name={chosen} state={state} />
    </div>
  );
}

function NoStreams(): JSX.Element {
  return (
    <p class="muted">
      This run has no streams. A workflow writes one with <code>ctx.stream</code>.
    </p>
  );
}

interface StreamListProps extends Pick<StreamsTabProps, "run" | "onSelect"> {
  readonly data: StreamsData;
  readonly names: readonly string[];
  readonly chosen: string;
}

function StreamList({ run, data, names, chosen, onSelect }: StreamListProps): JSX.Element {
  return (
    <ul class="stream-list" aria-label="Streams">
      {names.map((name) => {
        const shown = run.streams[name];
        const count = Math.max(shown?.chunks ?? 0, data.of(name)?.chunks.length ?? 0);
        return (
          <li key={name}>
            <button type="button" aria-pressed={name === chosen} onClick={() => onSelect(`stream/0/${name}`)}>
              <bdi class="mono">{visible(name.slice(0, 120))}</bdi>
              <span class="muted">
                {count.toLocaleString("en")} {count === 1 ? "chunk" : "chunks"}
                {shown?.ended === true ? " · ended" : " · open"}
              </span>
            </button>
          </li>
        );
      })}
    </ul>
  );
}

interface StreamProps {
  readonly run: RunRecord;
  readonly data: StreamsData;
  readonly name: string;
  readonly state: LiveState;
}

function Stream({ run, data, name, state }: StreamProps): JSX.Element {
  const stream = data.of(name);
  const [asList, setAsList] = useState<boolean>();
  const isList = asList ?? stream?.isText === false;
  const total = run.streams[name]?.chunks ?? 0;
  const isOver = run.streams[name]?.ended === true;
  const count = stream?.chunks.length ?? 0;
  return (
    <section class="stream" aria-label={`Stream ${visible(name.slice(0, 120))}`}>
      <p class="bar">
        <button
          type="button"
          aria-pressed={!isList}
          disabled={stream?.isText === false}
          onClick={() => setAsList(false)}
        >
          Text
        </button>
        <button type="button" aria-pressed={isList} onClick={() => setAsList(true)}>
          Chunks
        </button>
        <LiveIndicator state={isOver && count >= total ? "ended" : state} news="" />
        {count < total && (
          <span class="muted">
            {count.toLocaleString("en")} of {total.toLocaleString("en")} chunks are here.
          </span>
        )}
      </p>
      <Content data={data} stream={stream} isList={isList} isEmpty={total === 0} />
    </section>
  );
}

interface ContentProps {
  readonly data: StreamsData;
  readonly stream: StreamChunks | undefined;
  readonly isList: boolean;
  readonly isEmpty: boolean;
}

function Content({ data, stream, isList, isEmpty }: ContentProps): JSX.Element {
  if (stream === undefined) return <p class="muted">{isEmpty ? "It has no chunks yet." : "Loading…"}</p>;
  const Chunks = isList ? ChunkList : ChunkText;
  return (
    <>
      {stream.generation > 1 && (
        <p class="note">
          Generation {stream.generation}: the run produced this stream again after a failure. The chunks of earlier
          generations do not count any more.
        </p>
      )}
      <Chunks stream={stream} version={data.version.value} />
    </>
  );
}
