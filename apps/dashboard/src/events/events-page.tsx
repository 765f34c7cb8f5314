/**
 * The page of the newest events: what each did. A new event is sent, or tested, from here.
 *
 * Owns: the search, whose name is in the URL. A name with a key opens the topic.
 */
import type { ListedEvent } from "@holdfast/workflows/client";
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Empty, NotConfigured, Pending, State, Table, isNotConfigured } from "../flow/parts.tsx";
import { type Listed, type Reading, firstOf, useReading } from "../flow/reading.ts";
import { SearchBox } from "../flow/search-box.tsx";
import { eventPath, eventsPath, navigate, topicPath } from "../router.ts";
import { api } from "../session.ts";
import { Text, visible } from "../ui/text.tsx";
import { Ago } from "../ui/times.tsx";
import { summaryOf, targetsText } from "./event-text.ts";
import { SendForm } from "./send-form.tsx";

const PAGE = 50;

export function EventsPage({ name }: { readonly name: string | undefined }): JSX.Element {
  const [most, setMost] = useState(PAGE);
  const [isSending, setSending] = useState(false);
  const reading = useReading((signal) => firstOf(api().events({ name, signal }), most), [name, most]);
  useEffect(() => {
    document.title = "Events · Holdfast";
  }, []);
  if (isNotConfigured(reading.failure.value)) return <NotConfigured what="events" />;
  return (
    <main class="page flow-page">
      <div class="flow-top">
        <h1>Events</h1>
        <span class="actions">
          <button type="button" aria-haspopup="dialog" onClick={() => setSending(true)}>
            Send an event…
          </button>
        </span>
      </div>
      <SearchBox
        label="Search: the name of events, or a name and a key"
        placeholder="order.paid, or order.paid o-42"
        text={name ?? ""}
        onSearch={(one, key) => navigate(key === undefined ? eventsPath(one) : topicPath(one ?? "", key))}
      />
      <Body reading={reading} name={name} onMore={() => setMost(most + PAGE)} />
      {isSending && <SendForm name={name} onClose={() => setSending(false)} onDone={() => void reading.again()} />}
    </main>
  );
}

interface BodyProps {
  readonly reading: Reading<Listed<ListedEvent>>;
  readonly name: string | undefined;
  readonly onMore: () => void;
}

function Body({ reading, name, onMore }: BodyProps): JSX.Element {
  const { value } = reading.value;
  const events = value?.entries ?? [];
  return (
    <>
      <Pending failure={reading.failure.value} isRead={value !== undefined} what="events" />
      {value !== undefined && events.length === 0 && (name === undefined ? <NoEvents /> : <NoMatch name={name} />)}
      {events.length > 0 && (
        <Table
          label="Events"
          columns={["Event", "Name", "Key", "What it does", "State", "Not matched", "By", "Accepted"]}
        >
          {events.map((event) => (
            <Row event={event} key={event.id} />
          ))}
        </Table>
      )}
      {value?.hasMore === true && (
        <p class="more">
          <button type="button" onClick={onMore}>
            Load more
          </button>
        </p>
      )}
    </>
  );
}

function Row({ event }: { readonly event: ListedEvent }): JSX.Element {
  const { id, name, key, targets, unmatched, by, source, receivedAt, replays } = event;
  const { like, text } = summaryOf(targets);
  return (
    <tr>
      <th scope="row">
        <a class="mono" href={eventPath(id)} data-row>
          <Text of={id} max={80} />
        </a>
      </th>
      <td class="mono">
        <Text of={name} max={80} />
      </td>
      <td class="mono">
        {key !== undefined && (
          <a href={topicPath(name, key)}>
            <Text of={key} max={80} />
          </a>
        )}
      </td>
      <td>
        {targetsText(targets)}
        {replays > 0 && <span class="muted"> · replayed {replays} times</span>}
      </td>
      <td>
        <State like={like}>{text}</State>
      </td>
      <td class="num">{unmatched === 0 ? "" : unmatched}</td>
      <td>
        <Text of={source ?? by} max={80} />
      </td>
      <td class="num">
        <Ago at={receivedAt} />
      </td>
    </tr>
  );
}

const HOW = `const orderPaid = event("order.paid", { key: "orderId" });
workflow({ id: "fulfil", on: [{ id: "paid", event: orderPaid }], run });
await client.sendEvent(orderPaid, { orderId: "o-42" });`;

function NoEvents(): JSX.Element {
  return (
    <Empty title="No event was accepted" code={HOW} label="How an event starts a run">
      <p>An event starts runs by triggers, and reaches the runs that wait for its key.</p>
    </Empty>
  );
}

function NoMatch({ name }: { readonly name: string }): JSX.Element {
  return (
    <Empty title="No event of this name is listed">
      <p class="mono">{visible(name.slice(0, 200))}</p>
      <p>The newest 1,000 events are listed.</p>
      <p>
        <a class="button" href={eventsPath()}>
          Show all events
        </a>
      </p>
    </Empty>
  );
}
