/**
 * The header of a run's page: what it is, and why it is in its state.
 */
import { type RunRecord, type WhyEntry, errorDocUrl, isTerminal } from "@holdfast/workflows/client";
import type { ComponentChildren, JSX } from "preact";
import { actionName } from "../act/actions.ts";
import { ActionsButton } from "../act/host.tsx";
import { openAction } from "../act/opened.ts";
import { AsksOfRun, showAsk } from "../approvals/lazy.tsx";
import { DocLink } from "../doc-link.tsx";
import { comparePath, eventPath, limitPath, runPath, runsPath, schedulePath, topicPath } from "../router.ts";
import { Status, statusText } from "../ui/status.tsx";
import { Tags } from "../ui/tags.tsx";
import { Text, visible } from "../ui/text.tsx";
import { Ago, Took } from "../ui/times.tsx";

interface RunHeaderProps {
  readonly run: RunRecord;
  /** Says whether the page is current. */
  readonly live?: JSX.Element;
  /** The run is in a file: nothing can be done to it. */
  readonly isFile?: boolean;
  /** Shows the forms of open asks. A draft outlives a header without them. */
  readonly hasAsks?: boolean;
}

export function RunHeader({ run, live, isFile = false, hasAsks = !isFile }: RunHeaderProps): JSX.Element {
  const { id, status } = run;
  return (
    <header class="run-header">
      <div class="run-title">
        <Status status={status} />
        <h1 class="mono">
          <Text of={id} />
        </h1>
        <button type="button" class="quiet" onClick={(event) => void copyId(id, event.currentTarget)}>
          Copy id
        </button>
        {live}
        {!isFile && <ActionsButton runId={id} />}
      </div>
      <ul class="why" aria-label={`Why the run is ${statusText(status)}`}>
        {run.why.map((entry) => (
          <WhyLine
            entry={entry}
            own={id}
            isFile={isFile}
            key={`${entry.runId ?? ""} ${entry.code} ${entry.for?.kind}${entry.for?.name}${entry.for?.occurrence}`}
          />
        ))}
      </ul>
      {hasAsks && <AsksOfRun run={run} />}
      <Facts run={run} />
    </header>
  );
}

/** Where the browser allows no copying, as on a page without TLS, the id is selected. */
async function copyId(id: string, button: HTMLElement): Promise<void> {
  try {
    await navigator.clipboard.writeText(id);
  } catch {
    const title = button.parentElement?.querySelector("h1");
    if (title) getSelection()?.selectAllChildren(title);
  }
}

function Facts({ run }: { readonly run: RunRecord }): JSX.Element {
  const { workflowId, workflowVersion, status } = run;
  return (
    <dl class="facts">
      <Fact name="Workflow">
        <a href={runsPath(`workflow:${JSON.stringify(workflowId)}`)}>
          <Text of={workflowId} />
        </a>
        {workflowVersion !== null && <span class="muted"> v{visible(workflowVersion)}</span>}
      </Fact>
      <Fact name="Created">
        <Ago at={run.createdAt} />
      </Fact>
      {run.startedAt !== undefined && (
        <Fact name={isTerminal(status) ? "Took" : "Age"}>
          <Took from={run.startedAt} to={run.endedAt} />
        </Fact>
      )}
      <Origin run={run} />
      <StartedBy run={run} />
      <Limits run={run} />
      <Fact name="Environment">
        <Text of={run.environment} />
      </Fact>
      {run.tags.length > 0 && (
        <Fact name="Tags">
          <Tags tags={run.tags} />
        </Fact>
      )}
    </dl>
  );
}

function Origin({ run }: { readonly run: RunRecord }): JSX.Element {
  const { parent, resumedFrom, triggeredBy } = run;
  const from = parent ?? resumedFrom;
  if (from === undefined)
    return (
      <Fact name="Triggered by">
        <Text of={triggeredBy} />
      </Fact>
    );
  return (
    <Fact name={parent ? "Parent" : "Resumed from"}>
      <a class="mono" href={runPath(from.runId)}>
        <Text of={from.runId} max={80} />
      </a>
      {resumedFrom !== undefined && (
        <a class="fact-link" href={comparePath(resumedFrom.runId, run.id)}>
          Compare
        </a>
      )}
    </Fact>
  );
}

/** The schedule or the event that started the run. */
function StartedBy({ run: { schedule, event } }: { readonly run: RunRecord }): JSX.Element | null {
  if (schedule !== undefined)
    return (
      <Fact name="Schedule">
        <a class="mono" href={schedulePath(schedule.id)}>
          <Text of={schedule.id} max={80} />
        </a>
      </Fact>
    );
  if (event === undefined) return null;
  return (
    <Fact name="Event">
      <a class="mono" href={eventPath(event.id)}>
        <Text of={`${event.name} ${event.id}`} max={120} />
      </a>
    </Fact>
  );
}

/** The limits that it holds, or for which it waits. */
function Limits({ run: { limits = [] } }: { readonly run: RunRecord }): JSX.Element | null {
  if (limits.length === 0) return null;
  return (
    <Fact name="Limits">
      {limits.map(({ name, key, scope, state, step }) => (
        <span class="fact-limit" key={JSON.stringify([name, key, step])}>
          <LimitName name={name} limitKey={key} isShown={scope === undefined} />{" "}
          <span class="muted">
            {LIMIT_STATES[state]}
            {step !== undefined && ` in step ${visible(step.slice(0, 80))}`}
          </span>
        </span>
      ))}
    </Fact>
  );
}

interface LimitNameProps {
  readonly name: string;
  /** `key` is a name of Preact's own. */
  readonly limitKey: string | undefined;
  /** A limit of the whole deployment is no page of a tenant. */
  readonly isShown: boolean;
}

function LimitName({ name, limitKey, isShown }: LimitNameProps): JSX.Element {
  const text = <Text of={limitKey === undefined ? name : `${name} ${limitKey}`} max={120} />;
  if (!isShown) return <span class="mono">{text}</span>;
  return (
    <a class="mono" href={limitPath(name, limitKey)}>
      {text}
    </a>
  );
}

const LIMIT_STATES = { free: "given back", wanted: "waits for it", held: "holds it" } as const;

function Fact({ name, children }: { readonly name: string; readonly children: ComponentChildren }): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

interface WhyLineProps {
  readonly entry: WhyEntry;
  readonly own: string;
  readonly isFile: boolean;
}

/** What happens at the time of a reason, which is that of its timer. */
function endOf(code: WhyEntry["code"]): string {
  if (code.startsWith("WAITING_")) return "times out";
  return /RETRYING|FAILING/.test(code) ? "tries again" : "ends";
}

function WhyLine({ entry, own, isFile }: WhyLineProps): JSX.Element {
  const { text, since, until, runId, actions, error, attempt, attemptsMax, code } = entry;
  const docUrl = errorDocUrl(error?.code);
  const child = runId !== undefined && runId !== own ? runId : entry.for?.runId;
  return (
    <li class={`why-line is-${code.toLowerCase()}`}>
      <span class="why-text">{visible(text)}</span>
      <span class="why-times">
        since <Ago at={since} />
        {until !== undefined && (
          <>
            , {endOf(code)} <Ago at={until} />
          </>
        )}
        {attempt !== undefined && ` · attempt ${attempt}${attemptsMax === undefined ? "" : ` of ${attemptsMax}`}`}
      </span>
      {child !== undefined && (
        <a class="mono" href={runPath(child)}>
          <Text of={child} max={80} />
        </a>
      )}
      <FlowLink entry={entry} />
      {error !== undefined && !text.includes(error.message) && (
        <span class="why-error">
          <Text of={error.message} max={300} />
        </span>
      )}
      {docUrl !== undefined && <DocLink url={docUrl} />}
      {actions.length > 0 && !isFile && <WhyActions entry={entry} own={own} />}
    </li>
  );
}

/** Leads to the limit or the topic for which the run waits. */
function FlowLink({ entry: { limit, topic, link } }: { readonly entry: WhyEntry }): JSX.Element | null {
  // A limit of the whole deployment is no page of a tenant.
  if (limit !== undefined && link !== undefined)
    return (
      <a href={limitPath(limit.name, limit.key)}>
        Show the limit{limit.position !== undefined && `: number ${limit.position} of its queue`}
      </a>
    );
  return topic === undefined ? null : <a href={topicPath(topic.name, topic.key)}>Show the topic</a>;
}

/** The actions that help open their forms, with what the entry knows. */
function WhyActions({ entry, own }: { readonly entry: WhyEntry; readonly own: string }): JSX.Element {
  const { runId = own, actions } = entry;
  const { tokenId } = entry.for ?? {};
  return (
    <span class="why-actions">
      {actions.map(({ action, body }) => (
        <button
          type="button"
          aria-haspopup="dialog"
          key={action}
          onClick={() => {
            if (action === "resolveToken" && runId === own && showAsk(entry.for)) return;
            openAction(runId, action, { name: Object.values(body ?? {})[0] ?? "", tokenId: tokenId ?? "" });
          }}
        >
          {actionName(action)}
        </button>
      ))}
    </span>
  );
}
