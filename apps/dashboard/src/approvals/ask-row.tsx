/**
 * An ask in the list: a line that opens it.
 */
import type { JSX } from "preact";
import { now } from "../clock.ts";
import { runPath, runsPath } from "../router.ts";
import { Text } from "../ui/text.tsx";
import { Ago } from "../ui/times.tsx";
import { type OpenAsk, keyOf } from "./approval.ts";
import { AskBody, Outcome } from "./ask-body.tsx";
import type { AskState } from "./ask-state.ts";
import { RiskMark } from "./risk.tsx";

/** A deadline within this time is marked. */
const SOON_MS = 3_600_000;

interface AskRowProps {
  readonly state: AskState;
  readonly isOpen: boolean;
  readonly show: (ask: OpenAsk | undefined) => void;
  readonly onFocus: (has: boolean) => void;
}

export function AskRow({ state, isOpen, show, onFocus }: AskRowProps): JSX.Element {
  const ask = state.ask.value;
  const id = `ask-${encodeURIComponent(keyOf(ask))}`;
  const risk = ask.risk === undefined ? "" : ` has-${ask.risk}-risk`;
  return (
    <li
      class={`ask${isOpen ? " is-open" : ""}${state.isOpen ? risk : " is-over"}`}
      onFocusIn={() => onFocus(true)}
      onFocusOut={() => onFocus(false)}
    >
      <div class="ask-head">
        <h2>
          <button
            type="button"
            data-row
            aria-expanded={isOpen}
            aria-controls={isOpen ? id : undefined}
            onClick={() => show(isOpen ? undefined : ask)}
          >
            <Text of={ask.title} />
          </button>
        </h2>
        {state.isOpen ? <Deadline until={ask.until} /> : null}
      </div>
      <AskMeta ask={ask} />
      <div aria-live="polite">{!isOpen && <Outcome state={state} />}</div>
      {isOpen && (
        <div id={id}>
          <AskBody state={state} />
        </div>
      )}
    </li>
  );
}

export function Deadline({ until }: { readonly until: number | undefined }): JSX.Element {
  if (until === undefined) return <span class="deadline muted">No deadline</span>;
  const left = until - now.value;
  if (left <= 0) return <span class="deadline is-late">Expired</span>;
  return (
    <span class={`deadline num${left < SOON_MS ? " is-soon" : ""}`}>
      <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
        <path d="M8 2.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11M8 5v3.2l2 1.3" />
      </svg>
      <span>
        Expires <Ago at={until} />
      </span>
    </span>
  );
}

function AskMeta({ ask }: { readonly ask: OpenAsk }): JSX.Element {
  const { risk, workflowId, runId, assignees, openedAt } = ask;
  return (
    <p class="ask-meta">
      <RiskMark risk={risk} />
      <a href={runsPath(`workflow:${JSON.stringify(workflowId)}`)}>
        <Text of={workflowId} max={80} />
      </a>
      <a class="mono" href={runPath(runId)}>
        <Text of={runId} max={80} />
      </a>
      {openedAt !== undefined && (
        <span>
          asked <Ago at={openedAt} />
        </span>
      )}
      {assignees.length > 0 && (
        <span class="tags" aria-label="Assignees" role="group">
          {assignees.slice(0, 8).map((one) => (
            <span class="tag" key={one}>
              <Text of={one} max={80} />
            </span>
          ))}
          {assignees.length > 8 && <span class="tag">+{assignees.length - 8}</span>}
        </span>
      )}
    </p>
  );
}
