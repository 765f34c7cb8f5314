/**
 * The dialog of an action on many runs: what it will do, its progress, and the runs that refused.
 *
 * Owns: the question before it begins. To end or remove more than a hundred runs, the reader types their number.
 */
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { failureOf } from "../failure.tsx";
import { runPath } from "../router.ts";
import { api } from "../session.ts";
import { useModal } from "../ui/modal.ts";
import { Text, visible } from "../ui/text.tsx";
import { ACTION_TEXTS } from "./actions.ts";
import { type BulkAction, type Progress, actOnMany } from "./bulk.ts";
import { bulkCommand, firstRequest, requestCount } from "./bulk-request.ts";
import { RequestView } from "./copy.tsx";
import { TextField } from "./field.tsx";
import { ReasonField } from "./reason-field.tsx";

interface BulkDialogProps {
  readonly action: BulkAction;
  readonly ids: readonly string[];
  /** Called when the reader closes it, with the runs that stay selected: all before it began, else those that refused. */
  readonly onClose: (left: readonly string[]) => void;
}

interface State {
  readonly reason: string;
  readonly typed: string;
  readonly stage: "asking" | "acting" | "over";
  readonly progress: Progress;
}

const TYPED_ABOVE = 100;
const EXAMPLES = 5;
const REFUSED_SHOWN = 200;

export function BulkDialog({ action, ids, onClose }: BulkDialogProps): JSX.Element {
  const dialog = useModal();
  const { state, change, begin, stop } = useBulk(action, ids);
  const { stage, progress } = state;
  const onSubmit = (event: Event): void => {
    event.preventDefault();
    if (stage === "asking" && missingOf(action, ids.length, state) === undefined) begin();
  };
  return (
    <dialog
      ref={dialog}
      class="act"
      aria-labelledby="bulk-title"
      onCancel={(event) => stage === "acting" && event.preventDefault()}
      onClose={() => onClose(stage === "asking" ? ids : leftOf(ids, progress))}
    >
      <header class="act-top">
        <h2 id="bulk-title">
          {ACTION_TEXTS[action].name} {runsText(ids.length)}
        </h2>
      </header>
      <form class="act-form" noValidate onSubmit={onSubmit}>
        {stage === "asking" ? (
          <Question action={action} ids={ids} state={state} onChange={change} />
        ) : (
          <ProgressView total={ids.length} progress={progress} isOver={stage === "over"} />
        )}
        <footer class="act-end act-buttons">
          <span class="grow" />
          <button type="button" onClick={() => (stage === "acting" ? stop() : dialog.current?.close())}>
            {stage === "acting" ? "Stop" : "Close"}
          </button>
          {stage === "asking" && <Begin action={action} ids={ids} state={state} />}
        </footer>
      </form>
    </dialog>
  );
}

interface Bulk {
  readonly state: State;
  readonly change: (more: Partial<State>) => void;
  readonly begin: () => void;
  readonly stop: () => void;
}

function useBulk(action: BulkAction, ids: readonly string[]): Bulk {
  const isStopped = useRef(false);
  const [state, setState] = useState<State>(NEW);
  // The page was left, or the browser closed the dialog: what nobody sees does not continue.
  useEffect(() => () => void (isStopped.current = true), []);
  const change = (more: Partial<State>): void => setState((one) => ({ ...one, ...more }));
  const act = async (): Promise<void> => {
    change({ stage: "acting" });
    await actOnMany(api(), {
      action,
      ids,
      reason: state.reason === "" ? undefined : state.reason,
      isStopped: () => isStopped.current,
      onProgress: (progress) => change({ progress }),
    });
    change({ stage: "over" });
  };
  return { state, change, begin: () => void act(), stop: () => (isStopped.current = true) };
}

const NEW: State = { reason: "", typed: "", stage: "asking", progress: { done: 0, refused: [] } };

function Begin({ action, ids, state }: Omit<QuestionProps, "onChange">): JSX.Element {
  const { name, isDestructive } = ACTION_TEXTS[action];
  return (
    <button
      type="submit"
      class={isDestructive ? "primary is-destructive" : "primary"}
      disabled={missingOf(action, ids.length, state) !== undefined}
    >
      {name} {runsText(ids.length)}
    </button>
  );
}

/** What the reader must still give before it begins. */
function missingOf(action: BulkAction, count: number, { reason, typed }: State): "reason" | "number" | undefined {
  if (action === "terminateRun" && reason.trim() === "") return "reason";
  return isTyped(action, count) && typed.replaceAll(/[\s,.]/g, "") !== String(count) ? "number" : undefined;
}

function isTyped(action: BulkAction, count: number): boolean {
  return ACTION_TEXTS[action].isDestructive === true && count > TYPED_ABOVE;
}

interface QuestionProps {
  readonly action: BulkAction;
  readonly ids: readonly string[];
  readonly state: State;
  readonly onChange: (more: Partial<State>) => void;
}

function Question({ action, ids, state, onChange }: QuestionProps): JSX.Element {
  const requests = requestCount(action, ids.length);
  return (
    <>
      <p>Of each run: {ACTION_TEXTS[action].does}</p>
      <ul class="examples">
        {ids.slice(0, EXAMPLES).map((id) => (
          <li class="mono" key={id}>
            <Text of={id} max={80} />
          </li>
        ))}
        {ids.length > EXAMPLES && <li class="muted">and {(ids.length - EXAMPLES).toLocaleString("en")} more</li>}
      </ul>
      <ReasonField action={action} reason={state.reason} onReason={(reason) => onChange({ reason })} />
      {isTyped(action, ids.length) && (
        <TextField
          label={`Type ${ids.length} to confirm`}
          hint="It cannot be undone."
          problem={undefined}
          value={state.typed}
          onText={(typed) => onChange({ typed })}
        />
      )}
      <RequestView
        request={firstRequest(action, ids, state.reason, location.origin)}
        command={bulkCommand(action, ids, state.reason, location.origin)}
      />
      {requests > 1 && <p class="muted">This is the first of {requests.toLocaleString("en")} requests.</p>}
    </>
  );
}

interface ProgressViewProps {
  readonly total: number;
  readonly progress: Progress;
  readonly isOver: boolean;
}

function ProgressView({ total, progress: { done, refused, failure }, isOver }: ProgressViewProps): JSX.Element {
  const left = total - done - refused.length;
  return (
    <>
      <progress max={total} value={done + refused.length} aria-label="Progress" />
      <p role="status">
        {isOver ? "Over: " : ""}
        {done.toLocaleString("en")} of {total.toLocaleString("en")} done
        {refused.length > 0 && `, ${refused.length.toLocaleString("en")} refused`}
        {isOver && left > 0 && `, ${left.toLocaleString("en")} not tried, or without an answer`}
      </p>
      {failure !== undefined && (
        <p class="note is-bad" role="alert">
          <strong>The rest is not tried. </strong>
          {visible(failureOf(failure).message.slice(0, 600))}
        </p>
      )}
      {refused.length > 0 && (
        <ul class="refused" aria-label="Runs that refused">
          {refused.slice(0, REFUSED_SHOWN).map(({ id, message }) => (
            <li key={id}>
              <a class="mono" href={runPath(id)} target="_blank" rel="noreferrer">
                <Text of={id} max={80} />
              </a>{" "}
              <Text of={message} max={300} />
            </li>
          ))}
          {refused.length > REFUSED_SHOWN && <li class="muted">and {refused.length - REFUSED_SHOWN} more</li>}
        </ul>
      )}
    </>
  );
}

/** Which of them are done is known only by number while they are acted on in parts: those that refused stay selected. */
function leftOf(ids: readonly string[], { refused }: Progress): readonly string[] {
  const left = new Set(refused.map(({ id }) => id));
  return ids.filter((id) => left.has(id));
}

function runsText(count: number): string {
  return count === 1 ? "1 run" : `${count.toLocaleString("en")} runs`;
}
