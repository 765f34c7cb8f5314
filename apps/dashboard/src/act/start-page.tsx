/**
 * The page that starts a run.
 *
 * Owns: what was typed, sending it, and a short look at the new run: the input is checked against the schema of the workflow
 * when the run begins, so a run that fails with that is shown at the field.
 */
import { ApiError, type RunResult, type WorkflowInfo, isTerminal } from "@holdfast/workflows/client";
import type { JSX } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { type Failure, FailureNote, failureOf } from "../failure.tsx";
import { runPath } from "../router.ts";
import { api, session } from "../session.ts";
import { Text, visible } from "../ui/text.tsx";
import { isLost } from "./answer.tsx";
import { RequestView } from "./copy.tsx";
import { newId } from "./request.ts";
import { plainMessage, problemsByField } from "./send.ts";
import { StartFieldsView } from "./start-fields.tsx";
import {
  type PreparedStart,
  START_FIELDS,
  type StartFields,
  type StartProblems,
  newStart,
  prepareStart,
  startLike,
} from "./start-form.ts";

interface StartPageProps {
  /** The id of a run to start another one like. */
  readonly like: string | undefined;
  readonly workflow: string | undefined;
}

interface State {
  readonly fields: StartFields;
  readonly isTried: boolean;
  readonly isSending: boolean;
  readonly times: number;
  readonly started?: RunResult | undefined;
  readonly error?: unknown;
}

/** How long the page looks at a new run, ms, and how often. */
const LOOK_MS = 150;
const LOOKS_MAX = 12;

export function StartPage({ like, workflow }: StartPageProps): JSX.Element {
  const [state, setState] = useState(() => newState(newStart({ workflowId: workflow ?? "" })));
  const [failure, setFailure] = useState<Failure>();
  const workflows = useWorkflows();
  const { fields, isSending } = state;
  const change = (more: Partial<StartFields>): void =>
    setState((one) => ({ ...one, fields: { ...one.fields, ...more } }));
  useEffect(() => {
    document.title = "Start a run · Holdfast";
  }, []);
  useLike(like, change, setFailure);
  const left = useMemo(() => new AbortController(), []);
  useEffect(() => () => left.abort(), []);
  const prepared = prepareStart(fields, location.origin);
  const onSubmit = (event: Event): void => {
    event.preventDefault();
    if (!isSending) void start(prepared, fields.workflowId, setState, left.signal);
  };
  return (
    <main class="page start-page">
      <h1>Start a run</h1>
      {like !== undefined && <LikeLine id={like} />}
      {failure !== undefined && <FailureNote failure={failure} />}
      <form class="act-form" noValidate onSubmit={onSubmit}>
        <StartFieldsView
          fields={fields}
          problems={problemsOf(state, prepared)}
          workflows={workflows}
          onChange={change}
        />
        <RequestView request={prepared.request} command={prepared.command} />
        <footer class="act-end">
          <StartAnswer state={state} />
          <StartButtons state={state} onNew={() => setState(newState({ ...fields, id: newId() }))} />
        </footer>
      </form>
    </main>
  );
}

function newState(fields: StartFields): State {
  return { fields, isTried: false, isSending: false, times: 0 };
}

function LikeLine({ id }: { readonly id: string }): JSX.Element {
  return (
    <p class="muted">
      Like{" "}
      <a class="mono" href={runPath(id)}>
        <Text of={id} max={80} />
      </a>
    </p>
  );
}

/** Reads the run whose values the form gets, once: a later sign-in does not replace what the reader typed since. */
function useLike(
  id: string | undefined,
  change: (more: Partial<StartFields>) => void,
  setFailure: (failure: Failure | undefined) => void,
): void {
  const [isRead, setRead] = useState(id === undefined);
  useEffect(() => {
    if (id === undefined || isRead) return undefined;
    const ended = new AbortController();
    setFailure(undefined);
    api()
      .run(id)
      .get({ view: "summary", signal: ended.signal })
      .then(
        (run) => {
          setRead(true);
          change(startLike(run));
        },
        (error: unknown) => !ended.signal.aborted && setFailure(failureOf(error)),
      );
    return () => ended.abort();
  }, [id, session.value]);
}

/** The workflows that the deployment serves. Without them, the id is typed. */
function useWorkflows(): readonly WorkflowInfo[] {
  const [workflows, setWorkflows] = useState<readonly WorkflowInfo[]>([]);
  useEffect(() => {
    api()
      .workflows()
      .then(setWorkflows)
      .catch(() => {
        // The caller may not list them, or the step handler is away.
      });
  }, [session.value]);
  return workflows;
}

type SetState = (change: (state: State) => State) => void;

async function start(
  { problems, input, options }: PreparedStart,
  workflowId: string,
  setState: SetState,
  left: AbortSignal,
): Promise<void> {
  const isReady = Object.keys(problems).length === 0;
  setState((one) => ({
    ...one,
    isTried: true,
    isSending: isReady,
    times: one.times + (isReady ? 1 : 0),
    started: isReady ? undefined : one.started,
    error: undefined,
  }));
  if (!isReady) return;
  try {
    const run = await api().trigger(workflowId, input, options);
    setState((one) => ({ ...one, isSending: false, started: run.record ?? { id: run.id, status: "pending" } }));
    const record = await firstLook(run.id, left);
    // The reader may fill in another run meanwhile.
    if (record !== undefined) setState((one) => (one.started?.id === record.id ? { ...one, started: record } : one));
  } catch (error) {
    setState((one) => ({ ...one, isSending: false, error }));
  }
}

/** Reads the new run until it rests, for a moment, unless the reader leaves the page. */
async function firstLook(id: string, left: AbortSignal): Promise<RunResult | undefined> {
  for (let looks = 0; looks < LOOKS_MAX && !left.aborted; looks++) {
    const record = await api()
      .run(id)
      .get({ view: "result", signal: left })
      .catch(() => undefined);
    if (record === undefined || isTerminal(record.status) || record.status === "waiting") return record;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS * (looks + 1)));
  }
  return undefined;
}

function problemsOf({ isTried, error, started }: State, prepared: PreparedStart): StartProblems {
  const found: Partial<Record<keyof StartFields, string>> = {
    ...(isTried ? prepared.problems : {}),
    ...(error instanceof ApiError ? problemsByField(error, START_FIELDS) : {}),
  };
  if (started?.error?.code === "INVALID_INPUT") found.json = visible(started.error.message);
  if (!(error instanceof ApiError)) return found;
  if (error.code === "workflow_not_found") found.workflowId = plainMessage(error);
  if (error.code === "idempotency_conflict")
    found[prepared.options.runId === undefined ? "key" : "id"] = plainMessage(error);
  return found;
}

function StartAnswer({ state: { started, error } }: { readonly state: State }): JSX.Element {
  return (
    <div class="act-answer" aria-live="polite">
      {started !== undefined && (
        <p class={started.status === "failed" ? "note is-bad" : "note is-good"}>
          {started.status === "failed" ? "Started, and failed: " : "Started: "}
          <a class="mono" href={runPath(started.id)}>
            <Text of={started.id} max={80} />
          </a>
          {started.status === "failed" && started.error !== undefined && (
            <>
              {" "}
              <Text of={started.error.message} max={600} />
            </>
          )}
        </p>
      )}
      {error !== undefined && (
        <p class="note is-bad" role="alert">
          <strong>
            {isLost(error)
              ? "There was no answer, so it is not known whether the run was started. "
              : "The server refused. "}
          </strong>
          {visible(messageOf(error).slice(0, 600))}
          {isLost(error) && " Send it again: it has the same id, so only one run is started."}
        </p>
      )}
    </div>
  );
}

function messageOf(error: unknown): string {
  if (error instanceof ApiError) return plainMessage(error);
  return error instanceof Error ? error.message : "The request failed.";
}

function StartButtons({
  state: { isSending, times, started },
  onNew,
}: {
  readonly state: State;
  readonly onNew: () => void;
}): JSX.Element {
  return (
    <div class="act-buttons">
      <span class="grow" />
      {started !== undefined && (
        <button type="button" onClick={onNew}>
          Another run
        </button>
      )}
      <button type="submit" class="primary" disabled={isSending}>
        {isSending ? "Sending…" : times > 0 ? "Send again" : "Start"}
      </button>
    </div>
  );
}
