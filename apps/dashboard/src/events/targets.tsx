/**
 * What an event did: its targets, the triggers that it did not match, and its replays.
 */
import type { EventRecord, EventTarget } from "@holdfast/workflows/client";
import type { JSX } from "preact";
import { RunLink, State, Table } from "../flow/parts.tsx";
import { topicPath } from "../router.ts";
import { Text, visible } from "../ui/text.tsx";
import { Ago } from "../ui/times.tsx";
import { TARGET_LIKE, TARGET_TEXTS } from "./event-text.ts";

interface PartProps {
  readonly event: EventRecord;
}

export function Targets({ event: { targets, name } }: PartProps): JSX.Element {
  return (
    <section>
      <h2>What it did</h2>
      {targets.length === 0 ? (
        <p class="muted">Nothing: no trigger matched, and it has no key for which runs could wait.</p>
      ) : (
        <Table label="What it did" columns={["Target", "Trigger", "State", "Run", "Why"]}>
          {targets.map((target, n) => (
            <Target target={target} name={name} key={target.runId ?? n} />
          ))}
        </Table>
      )}
    </section>
  );
}

function Target({ target, name }: { readonly target: EventTarget; readonly name: string }): JSX.Element {
  const { trigger, workflowId, runId, topic, state, code, message } = target;
  return (
    <tr>
      <th scope="row">
        {topic === undefined ? (
          <Text of={workflowId ?? ""} max={80} />
        ) : (
          <>
            Runs that wait for the key{" "}
            <a class="mono" href={topicPath(name, topic)} data-row>
              <Text of={topic} max={80} />
            </a>
          </>
        )}
      </th>
      <td class="mono">{trigger !== undefined && <Text of={trigger} max={80} />}</td>
      <td>
        <State like={TARGET_LIKE[state]}>{TARGET_TEXTS[state]}</State>
      </td>
      <td>{runId !== undefined && <RunLink id={runId} isRow />}</td>
      <td class="wide">
        {visible(
          [code, message]
            .filter((part) => part !== undefined)
            .join(": ")
            .slice(0, 400),
        )}
      </td>
    </tr>
  );
}

export function Unmatched({ event: { unmatched } }: PartProps): JSX.Element | null {
  if (unmatched.length === 0) return null;
  return (
    <section>
      <h2>Triggers that did not match</h2>
      <Table label="Triggers that did not match" columns={["Workflow", "Trigger", "Why not"]}>
        {unmatched.map(({ workflowId, trigger, reason }) => (
          <tr key={`${workflowId} ${trigger}`}>
            <th scope="row">
              <Text of={workflowId} max={80} />
            </th>
            <td class="mono">
              <Text of={trigger} max={80} />
            </td>
            <td class="wide">{visible(reason.slice(0, 400))}</td>
          </tr>
        ))}
      </Table>
    </section>
  );
}

export function Replays({ event: { replays } }: PartProps): JSX.Element | null {
  if (replays.length === 0) return null;
  return (
    <section>
      <h2>Replays</h2>
      <Table label="Replays" columns={["Time", "By", "Mode", "New targets"]}>
        {replays.map(({ at, by, mode, targets }) => (
          <tr key={at}>
            <th scope="row" class="num">
              <Ago at={at} />
            </th>
            <td>
              <Text of={by} max={80} />
            </td>
            <td>{mode === "missing" ? "what was missing" : "all again"}</td>
            <td class="num">{targets}</td>
          </tr>
        ))}
      </Table>
    </section>
  );
}
