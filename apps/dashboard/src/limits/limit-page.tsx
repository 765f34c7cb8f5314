/**
 * The page of one limit, for one key: who holds, who waits and why, and what operators changed.
 *
 * Owns: which form is open. The answer of a form is shown at once.
 */
import type { LimitHolder, LimitQueued, LimitRecord } from "@holdfast/workflows/client";
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Empty, Fact, NotConfigured, Pending, RunLink, State, Table, isNotConfigured, titled } from "../flow/parts.tsx";
import { type Reading, useReading } from "../flow/reading.ts";
import { limitsPath } from "../router.ts";
import { api } from "../session.ts";
import { Text, visible } from "../ui/text.tsx";
import { secondText } from "../ui/time-format.ts";
import { Ago } from "../ui/times.tsx";
import { LimitOperation, type Opened } from "./limit-operations.tsx";
import {
  HOLDER_TEXTS,
  MODE_TEXTS,
  count,
  limitState,
  orderText,
  placeOf,
  queueReason,
  rateText,
} from "./limit-text.ts";
import { Places } from "./places.tsx";

interface LimitPageProps {
  readonly name: string;
  /** `key` is a name of Preact's own. */
  readonly limitKey: string | undefined;
}

export function LimitPage({ name, limitKey }: LimitPageProps): JSX.Element {
  const reading = useReading((signal) => api().limit(name, limitKey).get({ signal }), [name, limitKey]);
  const [opened, setOpened] = useState<Opened>();
  const title = limitKey === undefined ? name : `${name} ${limitKey}`;
  useEffect(() => {
    document.title = `${titled(title)} · Holdfast`;
  }, [title]);
  const failure = reading.failure.value;
  if (isNotConfigured(failure)) return <NotConfigured what="limits" />;
  const limit = failure?.code === "not_found" ? undefined : reading.value.value;
  return (
    <main class="page flow-page">
      <Top name={name} limitKey={limitKey} limit={limit} onOpen={setOpened} />
      <Body reading={reading} limit={limit} name={name} onOpen={setOpened} />
      {opened !== undefined && (
        <LimitOperation
          opened={opened}
          place={{ name, key: limitKey }}
          limit={limit}
          onClose={() => setOpened(undefined)}
          onDone={(answer) => reading.take(answer)}
        />
      )}
    </main>
  );
}

interface TopProps extends LimitPageProps {
  readonly limit: LimitRecord | undefined;
  readonly onOpen: (opened: Opened) => void;
}

function Top({ name, limitKey, limit, onOpen }: TopProps): JSX.Element {
  const state = limit && limitState(limit);
  const button = (form: "max" | "clear" | "pause" | "unpause", text: string): JSX.Element => (
    <button type="button" aria-haspopup="dialog" onClick={() => onOpen({ form })}>
      {text}
    </button>
  );
  return (
    <div class="flow-top">
      <h1 class="mono">
        <a href={limitsPath(name)}>
          <Text of={name} max={200} />
        </a>
        {limitKey !== undefined && (
          <>
            {" "}
            <Text of={limitKey} max={200} />
          </>
        )}
      </h1>
      {state && <State like={state.like}>{state.text}</State>}
      <span class="actions">
        {limit?.max !== null && button("max", "Set max…")}
        {limit?.override !== undefined && button("clear", "Clear max…")}
        {limit?.paused === undefined ? button("pause", "Pause…") : button("unpause", "Release…")}
      </span>
    </div>
  );
}

interface BodyProps {
  readonly reading: Reading<LimitRecord>;
  readonly limit: LimitRecord | undefined;
  readonly name: string;
  readonly onOpen: (opened: Opened) => void;
}

function Body({ reading, limit, name, onOpen }: BodyProps): JSX.Element {
  if (reading.failure.value?.code === "not_found") return <Unused name={name} />;
  return (
    <>
      <Pending failure={reading.failure.value} isRead={limit !== undefined} what="this limit" />
      {limit !== undefined && (
        <>
          <Facts limit={limit} />
          <Holders limit={limit} onOpen={onOpen} />
          <Queue limit={limit} onOpen={onOpen} />
        </>
      )}
    </>
  );
}

function Unused({ name }: { readonly name: string }): JSX.Element {
  return (
    <Empty title="Nobody holds or waits here">
      <p>
        A limit that nobody uses is forgotten after a minute. You may set max or pause it before the next run comes.
      </p>
      <p>
        <a class="button" href={limitsPath(name)}>
          Show the keys of this limit
        </a>
      </p>
    </Empty>
  );
}

function Facts({ limit }: { readonly limit: LimitRecord }): JSX.Element {
  const { declaredMax, override, paused, queued, maxQueued, nextStartAt, rev } = limit;
  const rate = rateText(limit);
  return (
    <dl class="facts">
      <Fact name="Places taken">
        <Places limit={limit} />
      </Fact>
      <Fact name="Waiting">
        {queued.toLocaleString("en")}
        {maxQueued !== undefined && ` of ${maxQueued.toLocaleString("en")}`}
      </Fact>
      {rate !== undefined && <Fact name="Rate">{rate}</Fact>}
      {nextStartAt !== undefined && (
        <Fact name="Next start">
          <Ago at={nextStartAt} />
        </Fact>
      )}
      {override !== undefined && (
        <Fact name="Max set by">
          <Text of={override.by} max={80} /> <Ago at={override.at} />; the code says {declaredMax ?? "none"}
        </Fact>
      )}
      {paused !== undefined && (
        <Fact name="Paused by">
          <Text of={paused.by} max={80} /> <Ago at={paused.at} />
        </Fact>
      )}
      {rev > 0 && <Fact name="Declared by the build of">{secondText(rev)}</Fact>}
    </dl>
  );
}

interface PartProps {
  readonly limit: LimitRecord;
  readonly onOpen: (opened: Opened) => void;
}

function Holders({ limit: { holders, held }, onOpen }: PartProps): JSX.Element {
  return (
    <section>
      <h2>Holders</h2>
      {holders.length === 0 ? (
        <p class="muted">No run holds.</p>
      ) : (
        <Table label="Runs that hold" columns={["Run", "Workflow", "State", "Holds", "Since", "Action"]}>
          {holders.map((holder) => (
            <HolderRow holder={holder} onOpen={onOpen} key={`${holder.runId} ${holder.since}`} />
          ))}
        </Table>
      )}
      {held > holders.length && <p class="muted">{count(held - holders.length, "holder")} more are not shown.</p>}
    </section>
  );
}

interface HolderRowProps {
  readonly holder: LimitHolder;
  readonly onOpen: (opened: Opened) => void;
}

function HolderRow({ holder, onOpen }: HolderRowProps): JSX.Element {
  const { runId, workflowId, mode, since, startAt, reentrant } = holder;
  return (
    <tr>
      <th scope="row">
        <RunLink id={runId} isRow />
      </th>
      <td>
        <Text of={workflowId} max={80} />
      </td>
      <td>
        <HolderState holder={holder} />
      </td>
      <td>
        {MODE_TEXTS[mode]}
        {reentrant === true && ", under the run that started it"}
        {startAt !== undefined && (
          <>
            , starts <Ago at={startAt} />
          </>
        )}
      </td>
      <td class="nowrap">
        <Ago at={since} />
      </td>
      <td>
        <KickButton runId={runId} onOpen={onOpen} />
      </td>
    </tr>
  );
}

function HolderState({ holder }: Pick<HolderRowProps, "holder">): JSX.Element {
  const { state, unreachableSince, replacedBy } = holder;
  return (
    <>
      <State like={state === "unreachable" ? "failed" : state === "held" ? "running" : "pending"}>
        {HOLDER_TEXTS[state]}
      </State>
      {unreachableSince !== undefined && (
        <span class="note-line">
          It keeps its place until it answers. Since <Ago at={unreachableSince} />
        </span>
      )}
      {replacedBy !== undefined && (
        <span class="note-line">
          by <RunLink id={replacedBy} />
        </span>
      )}
    </>
  );
}

function KickButton({ runId, onOpen }: Pick<HolderRowProps, "onOpen"> & { readonly runId: string }): JSX.Element {
  return (
    <button
      type="button"
      class="quiet"
      aria-haspopup="dialog"
      aria-label={`Cancel ${visible(runId.slice(0, 80))} and free its place`}
      onClick={() => onOpen({ form: "kick", runId })}
    >
      Cancel…
    </button>
  );
}

function Queue({ limit, onOpen }: PartProps): JSX.Element {
  const { queue, queued } = limit;
  return (
    <section>
      <h2>Queue</h2>
      {queue.length === 0 ? (
        <p class="muted">No run waits.</p>
      ) : (
        <Table label="Runs that wait" columns={["Place", "Run", "Workflow", "Why it waits", "Since", "Action"]}>
          {queue.map((waiting, at) => (
            <QueueRow limit={limit} waiting={waiting} at={at} onOpen={onOpen} key={waiting.runId} />
          ))}
        </Table>
      )}
      {queued > queue.length && <p class="muted">{count(queued - queue.length, "run")} more wait after these.</p>}
    </section>
  );
}

interface QueueRowProps extends PartProps {
  readonly waiting: LimitQueued;
  readonly at: number;
}

function QueueRow({ limit, waiting, at, onOpen }: QueueRowProps): JSX.Element {
  const { runId, workflowId, since } = waiting;
  const order = orderText(waiting);
  return (
    <tr>
      <td class="num">{placeOf(limit, at)}</td>
      <th scope="row">
        <RunLink id={runId} isRow />
      </th>
      <td>
        <Text of={workflowId} max={80} />
      </td>
      <td class="wide">
        {visible(queueReason(limit, at))}
        {order !== "" && <span class="muted"> {visible(order.slice(0, 200))}</span>}
      </td>
      <td class="nowrap">
        <Ago at={since} />
      </td>
      <td>
        <KickButton runId={runId} onOpen={onOpen} />
      </td>
    </tr>
  );
}
