/**
 * The page of all limits: who holds, who waits, and what operators changed.
 *
 * Owns: the search, whose text is in the URL. A name with a key opens that limit.
 */
import type { LimitRecord } from "@holdfast/workflows/client";
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Empty, NotConfigured, Pending, State, Table, isNotConfigured } from "../flow/parts.tsx";
import { type Listed, type Reading, firstOf, useReading } from "../flow/reading.ts";
import { SearchBox } from "../flow/search-box.tsx";
import { limitPath, limitsPath, navigate } from "../router.ts";
import { api } from "../session.ts";
import { Text, visible } from "../ui/text.tsx";
import { Ago } from "../ui/times.tsx";
import { limitState, rateText } from "./limit-text.ts";
import { Places } from "./places.tsx";

const PAGE = 50;

export function LimitsPage({ name }: { readonly name: string | undefined }): JSX.Element {
  const [most, setMost] = useState(PAGE);
  const reading = useReading(
    (signal) => firstOf(api().limits({ signal, ...(name === undefined ? {} : { name }) }), most),
    [name, most],
  );
  useEffect(() => {
    document.title = "Limits · Holdfast";
  }, []);
  if (isNotConfigured(reading.failure.value)) return <NotConfigured what="limits" />;
  return (
    <main class="page flow-page">
      <div class="flow-top">
        <h1>Limits</h1>
      </div>
      <SearchBox
        label="Search: the name of a limit, or a name and a key"
        placeholder="customer, or customer c-42"
        text={name ?? ""}
        onSearch={(one, key) => navigate(key === undefined ? limitsPath(one) : limitPath(one ?? "", key))}
      />
      <Body reading={reading} name={name} onMore={() => setMost(most + PAGE)} />
    </main>
  );
}

interface BodyProps {
  readonly reading: Reading<Listed<LimitRecord>>;
  readonly name: string | undefined;
  readonly onMore: () => void;
}

function Body({ reading, name, onMore }: BodyProps): JSX.Element {
  const { value } = reading.value;
  const limits = value?.entries ?? [];
  return (
    <>
      <Pending failure={reading.failure.value} isRead={value !== undefined} what="limits" />
      {value !== undefined && limits.length === 0 && (name === undefined ? <NoLimits /> : <NoMatch name={name} />)}
      {limits.length > 0 && (
        <Table label="Limits" columns={["Limit", "Key", "State", "Places taken", "Waiting", "Rate", "Next run"]}>
          {limits.map((limit) => (
            <Row limit={limit} key={JSON.stringify([limit.name, limit.key])} />
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

function Row({ limit }: { readonly limit: LimitRecord }): JSX.Element {
  const { name, key, queued, queue, next } = limit;
  const { like, text } = limitState(limit);
  const [first] = queue;
  return (
    <tr>
      <th scope="row">
        <a class="mono" href={limitPath(name, key)} data-row>
          <Text of={name} max={80} />
        </a>
      </th>
      <td class="mono">{key !== undefined && <Text of={key} max={80} />}</td>
      <td>
        <State like={like}>{text}</State>
      </td>
      <td class="nowrap">
        <Places limit={limit} />
      </td>
      <td class="num">
        {queued.toLocaleString("en")}
        {first !== undefined && (
          <span class="muted">
            {" · the first "}
            <Ago at={first.since} />
          </span>
        )}
      </td>
      <td>{rateText(limit)}</td>
      <td class="mono">{next !== undefined && visible(next.slice(0, 80))}</td>
    </tr>
  );
}

const HOW = `const perCustomer = limit("customer", { key: "input.customerId", max: 2 });
workflow({ id: "order", limits: [perCustomer.hold("run")], run });`;

function NoLimits(): JSX.Element {
  return (
    <Empty title="No run waits at a limit" code={HOW} label="How a workflow has a limit">
      <p>A limit is here while a run waits at it or holds it for a minute, and when an operator changed it.</p>
    </Empty>
  );
}

function NoMatch({ name }: { readonly name: string }): JSX.Element {
  return (
    <Empty title="No run waits at this limit">
      <p class="mono">{visible(name.slice(0, 200))}</p>
      <p>
        <a class="button" href={limitPath(name)}>
          Open it without a key
        </a>{" "}
        <a class="button" href={limitsPath()}>
          Show all limits
        </a>
      </p>
    </Empty>
  );
}
