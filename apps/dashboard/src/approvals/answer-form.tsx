/**
 * The ways to answer an ask: its choices as buttons, the form of its schema, or any JSON.
 *
 * Owns: which of them are shown, the way from a refused answer to the field that caused it, and the second click for a high
 * risk. No key answers by itself: Enter in a field sends nothing.
 */
import { useEffect, useId, useRef, useState } from "preact/hooks";
import type { JSX } from "preact";
import { FailureNote } from "../failure.tsx";
import { JsonInput } from "../ui/json-input.tsx";
import { useModal } from "../ui/modal.ts";
import { visible } from "../ui/text.tsx";
import type { AskState, Pending } from "./ask-state.ts";
import { fieldId } from "./field-frame.tsx";
import { FieldView, SchemaText } from "./fields.tsx";
import { problemsByField } from "./form-answer.ts";
import type { Draft } from "./form-draft.ts";

export function AnswerForm({ state }: { readonly state: AskState }): JSX.Element {
  const { choices, schema, tokenId } = state.ask.value;
  if (tokenId === undefined) return <ReadOnly />;
  const hasChoices = choices !== undefined && choices.length > 0;
  return (
    <form class="answer" aria-label="Answer" noValidate onSubmit={(event) => event.preventDefault()}>
      {state.failure.value && <FailureNote failure={state.failure.value} />}
      {hasChoices && <Choices state={state} />}
      {hasChoices && schema !== undefined && (
        <details class="other-answer" open={state.problems.value.length > 0 || undefined}>
          <summary>Another answer</summary>
          <WrittenAnswer state={state} />
        </details>
      )}
      {!hasChoices && <WrittenAnswer state={state} />}
      {state.pending.value && <Confirmation state={state} pending={state.pending.value} />}
    </form>
  );
}

function ReadOnly(): JSX.Element {
  return (
    <p class="note">
      You may read this ask. To answer it, sign in with a token that has the scope <code>deliver</code>.
    </p>
  );
}

function Choices({ state }: { readonly state: AskState }): JSX.Element {
  const { choices = [], schema } = state.ask.value;
  const problems = schema === undefined ? state.problems.value : [];
  return (
    <>
      {problems.length > 0 && (
        <p class="note is-bad" role="alert">
          {problems.map(({ message }) => visible(message)).join(" ")}
        </p>
      )}
      <div class="choices" role="group" aria-label="Choices">
        {choices.map(({ label, value }, n) => (
          <button
            type="button"
            class={n === 0 ? "primary" : undefined}
            disabled={state.phase.value.kind !== "open"}
            onClick={() => void state.answer(label, value)}
            key={label}
          >
            {visible(label)}
          </button>
        ))}
      </div>
      <HighRisk state={state} />
    </>
  );
}

function HighRisk({ state }: { readonly state: AskState }): JSX.Element | null {
  if (state.ask.value.risk !== "high") return null;
  return <p class="field-hint">The risk is high: a second click confirms the answer.</p>;
}

/** The form of the schema, or JSON. */
function WrittenAnswer({ state }: { readonly state: AskState }): JSX.Element {
  const id = useId();
  const form = useRef<HTMLDivElement>(null);
  const isOpen = state.phase.value.kind === "open";
  const send = (): void => {
    const answer = state.read();
    if (answer.ok) void state.answer(summaryOf(answer.value), answer.value);
  };
  const problems = state.problems.value;
  // Only what a sent answer found moves the reader; what a change solves does not.
  useEffect(() => focusFirst(form.current), [state.refusals.value]);
  return (
    <div class="written" ref={form}>
      <Summary count={problems.length} />
      {state.field.value === undefined || state.json.value !== undefined ? (
        <AnyAnswer state={state} />
      ) : (
        <Fields state={state} id={id} />
      )}
      <div class="answer-actions">
        <button type="button" class="primary" disabled={!isOpen} onClick={send}>
          {isOpen ? "Send answer" : "Sending…"}
        </button>
        <JsonSwitch state={state} />
      </div>
      <HighRisk state={state} />
    </div>
  );
}

function Summary({ count }: { readonly count: number }): JSX.Element {
  return (
    <div role="alert">
      {count > 0 && (
        <p class="note is-bad">
          {count === 1 ? "One thing needs a change. " : `${count} things need a change. `}Nothing was sent, and the ask
          is still open.
        </p>
      )}
    </div>
  );
}

function Fields({ state, id }: { readonly state: AskState; readonly id: string }): JSX.Element | null {
  const [field, draft] = [state.field.value, state.draft.value];
  if (field === undefined || draft === undefined) return null;
  const problems = problemsByField(field, draft, state.problems.value);
  const general = field.kind === "group" ? problems.get("") : undefined;
  const disabled = state.phase.value.kind !== "open";
  const form = { id, problems, disabled, touch: (path: string): void => state.touch(path) };
  const change = (changed: Draft): void => void (state.draft.value = changed);
  return (
    <>
      {general !== undefined && (
        <p class="field-problem" id={fieldId(id, "")} tabIndex={-1}>
          {general.map(visible).join(" ")}
        </p>
      )}
      <FieldView field={field} draft={draft} onDraft={change} path="" name="Answer" isRequired form={form} />
    </>
  );
}

/** Any JSON: there is no schema, or the reader prefers to write it. */
function AnyAnswer({ state }: { readonly state: AskState }): JSX.Element {
  const { schema } = state.ask.value;
  const problems = state.problems.value.map(({ path, message }) =>
    visible(path === "" ? message : `${path}: ${message}`),
  );
  return (
    <div class="json-field">
      <JsonInput
        label={schema === undefined ? "Answer, as JSON (optional)" : "Answer, as JSON"}
        text={state.json.value ?? ""}
        onText={(text) => {
          state.json.value = text;
          state.problems.value = [];
        }}
        problem={problems.length === 0 ? undefined : problems.join(" ")}
        disabled={state.phase.value.kind !== "open"}
      />
      {schema !== undefined && <SchemaText schema={schema} />}
    </div>
  );
}

/** Changes between the form and JSON, and takes along what is written. */
function JsonSwitch({ state }: { readonly state: AskState }): JSX.Element | null {
  const field = state.field.value;
  if (field === undefined || field.kind === "json") return null;
  if (state.json.value === undefined)
    return (
      <button type="button" class="quiet" onClick={() => state.writeJson()}>
        Write JSON instead
      </button>
    );
  return (
    <button type="button" class="quiet" disabled={!state.canUseForm} onClick={() => state.useForm()}>
      Use the form
    </button>
  );
}

function focusFirst(form: HTMLElement | null): void {
  const first = form?.querySelector<HTMLElement>("[aria-invalid=true], .field-problem:not(:empty)");
  if (first === null || first === undefined) return;
  const place = first.matches("[aria-invalid]") ? first : (first.closest<HTMLElement>("fieldset") ?? first);
  (place.querySelector("input") ?? place).focus();
}

const SUMMARY_CHARS = 80;

function summaryOf(value: unknown): string {
  const text = value === undefined ? "nothing" : JSON.stringify(value);
  return text.length > SUMMARY_CHARS ? `${text.slice(0, SUMMARY_CHARS)}…` : text;
}

interface ConfirmationProps {
  readonly state: AskState;
  readonly pending: Pending;
}

/** How long after the first click no second one counts: it may be a double click, or a double tap. */
const PAUSE_MS = 500;

/** The second click. The focus is on the way back. */
function Confirmation({ state, pending }: ConfirmationProps): JSX.Element {
  const dialog = useModal();
  const id = useId();
  const [isReady, setIsReady] = useState(false);
  useEffect(() => {
    const pause = setTimeout(() => setIsReady(true), PAUSE_MS);
    return () => clearTimeout(pause);
  }, []);
  const back = (): void => void (state.pending.value = undefined);
  const confirm = (): void => void state.answer(pending.label, pending.value, true);
  const { title, runId } = state.ask.value;
  return (
    <dialog ref={dialog} class="confirmation" aria-labelledby={id} onClose={back}>
      <h2 id={id}>Send this answer?</h2>
      <p>
        The risk of <strong>{visible(title)}</strong> is high. Run <code>{visible(runId)}</code> continues with:
      </p>
      <pre tabIndex={0} aria-label="Answer">
        {visible(JSON.stringify(pending.value, null, 2) ?? "nothing")}
      </pre>
      <div class="answer-actions">
        <button type="button" onClick={back} autofocus>
          Back
        </button>
        <button type="button" class="primary" disabled={!isReady} onClick={confirm}>
          Confirm: {visible(pending.label)}
        </button>
      </div>
    </dialog>
  );
}
