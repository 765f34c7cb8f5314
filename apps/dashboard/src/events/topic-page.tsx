/**
 * The page of a topic: the events of one name and key, and the runs that wait for them.
 */
import type { TopicRecord } from "@holdfast/workflows/client";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { Empty, Fact, NotConfigured, Pending, RunLink, State, Table, isNotConfigured, titled } from "../flow/parts.tsx";
import { useReading } from "../flow/reading.ts";
import { eventPath, eventsPath } from "../router.ts";
import { api } from "../session.ts";
import { Text } from "../ui/text.tsx";
import { Ago, durationText } from "../ui/times.tsx";

interface TopicPageProps {
  readonly name: string;
  /** `key` is a name of Preact's own. */
  readonly topicKey: string;
}

export function TopicPage({ name, topicKey }: TopicPageProps): JSX.Element {
  const reading = useReading((signal) => api().topic(name, topicKey, { signal }), [name, topicKey]);
  useEffect(() => {
    document.title = `${titled(`${name} ${topicKey}`)} · Holdfast`;
  }, [name, topicKey]);
  const failure = reading.failure.value;
  if (isNotConfigured(failure)) return <NotConfigured what="events" />;
  const topic = failure?.code === "not_found" ? undefined : reading.value.value;
  return (
    <main class="page flow-page">
      <div class="flow-top">
        <h1 class="mono">
          <a href={eventsPath(name)}>
            <Text of={name} max={200} />
          </a>{" "}
          <Text of={topicKey} max={200} />
        </h1>
      </div>
      {failure?.code === "not_found" ? (
        <Empty title="Nobody uses this key">
          <p>
            No event with this key was accepted in the time for which its topic stores them, and no run waits for one.
          </p>
        </Empty>
      ) : (
        <Pending failure={failure} isRead={topic !== undefined} what="this topic" />
      )}
      {topic !== undefined && (
        <>
          <Facts topic={topic} />
          <Waiting topic={topic} />
          <Newest topic={topic} />
        </>
      )}
    </main>
  );
}

interface PartProps {
  readonly topic: TopicRecord;
}

function Facts({ topic: { keepMs, events, dropped, subscribers } }: PartProps): JSX.Element {
  return (
    <dl class="facts">
      <Fact name="Runs that wait">{subscribers.toLocaleString("en")}</Fact>
      <Fact name="Stored events">{events.toLocaleString("en")}</Fact>
      <Fact name="Stores each for">{durationText(keepMs)}</Fact>
      {dropped > 0 && <Fact name="Events no longer stored">{dropped.toLocaleString("en")}</Fact>}
    </dl>
  );
}

function Waiting({ topic: { waiting, subscribers } }: PartProps): JSX.Element {
  return (
    <section>
      <h2>Runs that wait</h2>
      {waiting.length === 0 ? (
        <p class="muted">No run waits.</p>
      ) : (
        <Table label="Runs that wait" columns={["Run", "State", "Since"]}>
          {waiting.map(({ runId, since, pending }) => (
            <tr key={runId}>
              <th scope="row">
                <RunLink id={runId} isRow />
              </th>
              <td>
                <State like={pending ? "pending" : "waiting"}>
                  {pending ? "gets the events that are stored" : "waits for the next event"}
                </State>
              </td>
              <td class="num">
                <Ago at={since} />
              </td>
            </tr>
          ))}
        </Table>
      )}
      {subscribers > waiting.length && (
        <p class="muted">{(subscribers - waiting.length).toLocaleString("en")} more runs are not shown.</p>
      )}
    </section>
  );
}

function Newest({ topic: { newest, events } }: PartProps): JSX.Element {
  return (
    <section>
      <h2>Stored events</h2>
      {newest.length === 0 ? (
        <p class="muted">No event is stored.</p>
      ) : (
        <Table label="Stored events" columns={["Event", "Number", "Accepted"]}>
          {newest.map(({ n, id, at }) => (
            <tr key={n}>
              <th scope="row">
                <a class="mono" href={eventPath(id)} data-row>
                  <Text of={id} max={80} />
                </a>
              </th>
              <td class="num">{n}</td>
              <td class="num">
                <Ago at={at} />
              </td>
            </tr>
          ))}
        </Table>
      )}
      {events > newest.length && (
        <p class="muted">{(events - newest.length).toLocaleString("en")} older events are not shown.</p>
      )}
    </section>
  );
}
