/**
 * The form of an event that is sent, or tested without an effect.
 *
 * Owns: its fields. The id is made when the form opens, so a request without an answer may be sent again.
 */
import type { TestedEvent } from "@holdfast/workflows/client";
import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import { TextField } from "../act/field.tsx";
import { newId } from "../act/request.ts";
import { type Command, isLong, jsonLine } from "../act/shell.ts";
import { type Failure, FailureNote, failureOf } from "../failure.tsx";
import { OperationDialog } from "../flow/operation.tsx";
import { eventPath } from "../router.ts";
import { api } from "../session.ts";
import { JsonInput } from "../ui/json-input.tsx";
import { parseJson } from "../ui/json-text.ts";
import { Text, visible } from "../ui/text.tsx";
import { Tree } from "../ui/tree.tsx";

interface SendFormProps {
  readonly name: string | undefined;
  readonly onClose: () => void;
  readonly onDone: () => void;
}

interface Fields {
  readonly id: string;
  readonly name: string;
  readonly key: string;
  readonly json: string;
}

export function SendForm({ name = "", onClose, onDone }: SendFormProps): JSX.Element {
  const [fields, setFields] = useState<Fields>(() => ({ id: newId(), name, key: "", json: "{}" }));
  const parsed = parseJson(fields.json);
  const data = parsed.kind === "value" ? parsed.value : undefined;
  const key = fields.key === "" ? undefined : fields.key;
  const isInvalid = fields.name === "" || fields.id === "" || parsed.kind !== "value";
  const send = async (): Promise<ComponentChildren> => {
    const { state, eventId } = await api().sendEvent(fields.name, data, { id: fields.id, key });
    onDone();
    return (
      <>
        {state === "duplicate" ? "It was accepted before, and nothing happened twice: " : "Accepted: "}
        <a class="mono" href={eventPath(eventId)}>
          <Text of={eventId} max={80} />
        </a>
      </>
    );
  };
  return (
    <OperationDialog
      name="Send"
      subject="an event"
      does="It starts runs by their triggers, and reaches the runs that wait for its key. The same id has no effect again."
      scope="deliver"
      request={{ verb: "POST", path: "/api/events", body: { name: fields.name, data, id: fields.id, key } }}
      command={parsed.kind === "value" ? commandOf(fields, data) : undefined}
      isInvalid={isInvalid}
      send={send}
      onClose={onClose}
    >
      <SendFields fields={fields} onChange={(more) => setFields((one) => ({ ...one, ...more }))} />
      <Test name={fields.name} data={data} eventKey={key} isInvalid={isInvalid} />
    </OperationDialog>
  );
}

/** The command that sends the same. Long data goes to its stdin. */
function commandOf({ id, name, key }: Fields, data: unknown): Command {
  const json = jsonLine(data);
  const args = ["holdfast", "event", "send", name, "--id", id, ...(key === "" ? [] : ["--key", key]), "--input"];
  return isLong(json) ? { args: [...args, "-"], stdin: json } : { args: [...args, json] };
}

interface FieldsProps {
  readonly fields: Fields;
  readonly onChange: (more: Partial<Fields>) => void;
}

function SendFields({ fields: { id, name, key, json }, onChange }: FieldsProps): JSX.Element {
  return (
    <>
      <div class="act-row">
        <TextField
          label="Name"
          problem={name === "" ? "It has a name." : undefined}
          isMono
          isRequired
          value={name}
          onText={(text) => onChange({ name: text })}
        />
        <TextField
          label="Key (optional: the declaration computes it)"
          problem={undefined}
          isMono
          value={key}
          onText={(text) => onChange({ key: text })}
        />
      </div>
      <JsonInput label="Data, as JSON" text={json} onText={(text) => onChange({ json: text })} />
      <TextField
        label="Id"
        problem={id === "" ? "It has an id." : undefined}
        isMono
        isRequired
        value={id}
        onText={(text) => onChange({ id: text })}
      />
    </>
  );
}

interface TestProps {
  readonly name: string;
  readonly data: unknown;
  /** `key` is a name of Preact's own. */
  readonly eventKey: string | undefined;
  readonly isInvalid: boolean;
}

interface Tested {
  readonly of: string;
  readonly answer?: TestedEvent;
  readonly failure?: Failure;
}

/** Asks what it would do. The answer is that of the fields when it was asked. */
function Test({ name, data, eventKey: key, isInvalid }: TestProps): JSX.Element {
  const [tested, setTested] = useState<Tested>();
  const of = JSON.stringify([name, data, key]);
  const ask = async (): Promise<void> => {
    try {
      setTested({ of, answer: await api().testEvent(name, data, { key }) });
    } catch (error) {
      setTested({ of, failure: failureOf(error) });
    }
  };
  const shown = tested?.of === of ? tested : undefined;
  return (
    <div>
      <button type="button" disabled={isInvalid} onClick={() => void ask()}>
        Say what it would do
      </button>
      <div aria-live="polite">
        {shown?.failure !== undefined && <FailureNote failure={shown.failure} />}
        {shown?.answer !== undefined && <Answer of={shown.answer} />}
      </div>
    </div>
  );
}

function Answer({ of: { key, matches, unmatched } }: { readonly of: TestedEvent }): JSX.Element {
  return (
    <div class="effects">
      {key !== undefined && <p>It reaches the runs that wait for the key {visible(key.slice(0, 200))}.</p>}
      {matches.length === 0 && <p>It starts no run.</p>}
      <ul>
        {matches.map(({ trigger, workflowId, input }) => (
          <li key={`${workflowId} ${trigger}`}>
            It starts a run of <strong>{visible(workflowId.slice(0, 80))}</strong> by {visible(trigger.slice(0, 80))}.
            {input !== undefined && <Tree value={input} />}
          </li>
        ))}
        {unmatched.map(({ trigger, workflowId, reason }) => (
          <li class="muted" key={`${workflowId} ${trigger}`}>
            Not {visible(workflowId.slice(0, 80))} by {visible(trigger.slice(0, 80))}: {visible(reason.slice(0, 300))}
          </li>
        ))}
      </ul>
    </div>
  );
}
