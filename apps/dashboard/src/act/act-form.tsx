/**
 * The form of one action: its fields, what it will do, the request, and the answer.
 *
 * Owns: what was typed, and sending. The ids of the request are made when the form opens, so a request without an answer may
 * be sent again.
 */
import type { RunActionName } from "@holdfast/workflows/client";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { navigate, runsPath } from "../router.ts";
import { api } from "../session.ts";
import { visible } from "../ui/text.tsx";
import type { ActData } from "./act-data.ts";
import { ACTION_TEXTS } from "./actions.ts";
import { Answer, type Outcome, isLost } from "./answer.tsx";
import { RequestView } from "./copy.tsx";
import { Effects } from "./effects.tsx";
import { ActFields } from "./fields.tsx";
import { type Fields, type Prepared, newFields, prepare } from "./forms.ts";
import { newId } from "./request.ts";
import { fieldProblems, send } from "./send.ts";

interface ActFormProps {
  readonly data: ActData;
  readonly action: RunActionName;
  readonly given: Partial<Fields> | undefined;
  readonly onBack: () => void;
  readonly onLeave: () => void;
}

interface FormState {
  readonly fields: Fields;
  readonly isSending: boolean;
  /** Whether a request of this form had no answer. */
  readonly isUncertain: boolean;
  /** How often it was sent. */
  readonly times: number;
  /** The reader tried to send it: what is missing is shown from then on. */
  readonly isTried: boolean;
  readonly outcome: Outcome;
}

function newState(given: Partial<Fields> | undefined): FormState {
  return { fields: newFields(given), isSending: false, isUncertain: false, times: 0, isTried: false, outcome: {} };
}

export function ActForm({ data, action, given, onBack, onLeave }: ActFormProps): JSX.Element {
  const [state, setState] = useState(() => newState(given));
  const { fields, isSending, outcome, isTried } = state;
  const prepared = prepare(action, data.runId, fields, location.origin);
  const refused = data.refusalOf(action);
  const mayNotSend = isSending || refused !== undefined;
  const submit = async (): Promise<void> => {
    const next = await sendOnce(data, action, state, prepared, setState);
    if (next?.sent?.kind !== "deleted") return;
    onLeave();
    navigate(runsPath());
  };
  const onSubmit = (event: Event): void => {
    event.preventDefault();
    if (!mayNotSend) void submit();
  };
  return (
    <form class="act-form" noValidate onSubmit={onSubmit}>
      <p class="muted">{ACTION_TEXTS[action].does}</p>
      {refused !== undefined && outcome.sent === undefined && <Refused message={refused.message} />}
      <ActFields
        action={action}
        data={data}
        fields={fields}
        problems={{ ...(isTried ? prepared.problems : {}), ...fieldProblems(outcome.error) }}
        onChange={(more) => setState((one) => ({ ...one, fields: { ...one.fields, ...more } }))}
      />
      {outcome.sent === undefined && <Effects action={action} data={data} fields={fields} />}
      <RequestView request={prepared.request} command={prepared.command} />
      <FormEnd
        action={action}
        state={state}
        mayNotSend={mayNotSend}
        onBack={onBack}
        onNew={() => setState(newState({ ...fields, id: newId() }))}
      />
    </form>
  );
}

function Refused({ message }: { readonly message: string }): JSX.Element {
  return (
    <p class="note is-bad" id="act-refused">
      <strong>The server refuses this now. </strong>
      {visible(message)}
    </p>
  );
}

interface FormEndProps {
  readonly action: RunActionName;
  readonly state: FormState;
  readonly mayNotSend: boolean;
  readonly onBack: () => void;
  readonly onNew: () => void;
}

/** The answer and the buttons, which stay in view. */
function FormEnd({ action, state, mayNotSend, onBack, onNew }: FormEndProps): JSX.Element {
  const { isSending, times, outcome, isUncertain } = state;
  const { name, isDestructive } = ACTION_TEXTS[action];
  return (
    <footer class="act-end">
      <Answer action={action} outcome={outcome} isUncertain={isUncertain} isAgain={times > 1} />
      <div class="act-buttons">
        <button type="button" onClick={onBack}>
          All actions
        </button>
        <span class="grow" />
        {outcome.sent !== undefined && (
          <button type="button" onClick={onNew}>
            New request
          </button>
        )}
        <button
          type="submit"
          class={isDestructive ? "primary is-destructive" : "primary"}
          disabled={mayNotSend}
          aria-describedby={mayNotSend && !isSending ? "act-refused" : undefined}
        >
          {isSending ? "Sending…" : times > 0 ? "Send again" : name}
        </button>
      </div>
    </footer>
  );
}

/** Sends the request unless a field has a problem. Returns what became of it. */
async function sendOnce(
  data: ActData,
  action: RunActionName,
  { fields }: FormState,
  prepared: Prepared,
  setState: (change: (state: FormState) => FormState) => void,
): Promise<Outcome | undefined> {
  if (Object.keys(prepared.problems).length > 0) {
    setState((one) => ({ ...one, isTried: true }));
    return undefined;
  }
  setState((one) => ({ ...one, isSending: true, isTried: true, times: one.times + 1, outcome: {} }));
  const outcome = await attempt(data, action, fields, prepared);
  const isUncertain = isLost(outcome.error);
  setState((one) => ({ ...one, isSending: false, outcome, isUncertain: one.isUncertain || isUncertain }));
  if (outcome.sent?.kind !== "deleted") data.load();
  return outcome;
}

async function attempt(
  { runId }: ActData,
  action: RunActionName,
  fields: Fields,
  prepared: Prepared,
): Promise<Outcome> {
  try {
    return { sent: await send(api(), runId, action, fields, prepared) };
  } catch (error) {
    return { error };
  }
}
