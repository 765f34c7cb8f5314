/**
 * The page of one event: what it did and why, and its replays.
 */
import type { EventRecord } from "@holdfast/workflows/client";
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Empty, Fact, NotConfigured, Pending, State, isNotConfigured, titled } from "../flow/parts.tsx";
import { useReading } from "../flow/reading.ts";
import { eventsPath, topicPath } from "../router.ts";
import { api } from "../session.ts";
import { Text } from "../ui/text.tsx";
import { secondText } from "../ui/time-format.ts";
import { Ago } from "../ui/times.tsx";
import { Tree } from "../ui/tree.tsx";
import { summaryOf } from "./event-text.ts";
import { ReplayForm } from "./replay-form.tsx";
import { Replays, Targets, Unmatched } from "./targets.tsx";

export function EventPage({ id }: { readonly id: string }): JSX.Element {
  const reading = useReading((signal) => api().event(id).get({ signal }), [id]);
  const [isOpen, setOpen] = useState(false);
  useEffect(() => {
    document.title = `${titled(id)} · Holdfast`;
  }, [id]);
  const failure = reading.failure.value;
  if (isNotConfigured(failure)) return <NotConfigured what="events" />;
  if (failure?.code === "not_found") return <Missing id={id} />;
  const event = reading.value.value;
  return (
    <main class="page flow-page">
      <Top id={id} event={event} onReplay={() => setOpen(true)} />
      <Pending failure={failure} isRead={event !== undefined} what="this event" />
      {event !== undefined && (
        <>
          <Facts event={event} />
          <Targets event={event} />
          <Unmatched event={event} />
          <Replays event={event} />
          <Data event={event} />
        </>
      )}
      {event !== undefined && isOpen && (
        <ReplayForm event={event} onClose={() => setOpen(false)} onDone={(answer) => reading.take(answer)} />
      )}
    </main>
  );
}

interface TopProps {
  readonly id: string;
  readonly event: EventRecord | undefined;
  readonly onReplay: () => void;
}

function Top({ id, event, onReplay }: TopProps): JSX.Element {
  const state = event && summaryOf(event.targets);
  return (
    <div class="flow-top">
      <h1 class="mono">
        <Text of={id} max={200} />
      </h1>
      {state && <State like={state.like}>{state.text}</State>}
      {event !== undefined && (
        <span class="actions">
          <button type="button" aria-haspopup="dialog" onClick={onReplay}>
            Replay…
          </button>
        </span>
      )}
    </div>
  );
}

function Facts({ event }: { readonly event: EventRecord }): JSX.Element {
  const { name, key, source, at, receivedAt, by } = event;
  return (
    <dl class="facts">
      <Fact name="Name">
        <a class="mono" href={eventsPath(name)}>
          <Text of={name} max={200} />
        </a>
      </Fact>
      {key !== undefined && (
        <Fact name="Key">
          <a class="mono" href={topicPath(name, key)}>
            <Text of={key} max={200} />
          </a>
        </Fact>
      )}
      <Fact name="Accepted">
        <Ago at={receivedAt} />
      </Fact>
      {at !== undefined && <Fact name="Happened, as its sender says">{secondText(at)}</Fact>}
      <Fact name="Sent by">
        <Text of={by} max={80} />
      </Fact>
      {source !== undefined && (
        <Fact name="Source">
          <Text of={source} max={80} />
        </Fact>
      )}
    </dl>
  );
}

function Data({ event: { data } }: { readonly event: EventRecord }): JSX.Element {
  return (
    <section>
      <h2>Data</h2>
      {data === undefined ? (
        <p class="muted">It has no data.</p>
      ) : (
        <div class="value">
          <Tree value={data} />
        </div>
      )}
    </section>
  );
}

function Missing({ id }: { readonly id: string }): JSX.Element {
  return (
    <main class="page flow-page">
      <Empty title="There is no event with this id">
        <p class="mono">
          <Text of={id} max={200} />
        </p>
        <p>Events are known for 30 days, to their tenant alone.</p>
        <p>
          <a class="button" href={eventsPath()}>
            Show all events
          </a>
        </p>
      </Empty>
    </main>
  );
}
