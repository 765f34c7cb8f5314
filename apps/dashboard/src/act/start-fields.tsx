/**
 * The fields of a new run.
 */
import type { WorkflowInfo } from "@holdfast/workflows/client";
import type { JSX } from "preact";
import { JsonInput } from "../ui/json-input.tsx";
import { Text } from "../ui/text.tsx";
import { Field, TextField, type TextFieldProps } from "./field.tsx";
import type { StartFields, StartProblems } from "./start-form.ts";

interface StartFieldsProps {
  readonly fields: StartFields;
  readonly problems: StartProblems;
  readonly workflows: readonly WorkflowInfo[];
  readonly onChange: (more: Partial<StartFields>) => void;
}

type FormProps = Omit<StartFieldsProps, "workflows">;

type StartFieldProps = FormProps &
  Omit<TextFieldProps, "problem" | "value" | "onText"> & { readonly name: keyof StartFields };

/** One line of the form. */
function StartField({ fields, problems, onChange, name, ...shown }: StartFieldProps): JSX.Element {
  const onText = (text: string): void => onChange({ [name]: text });
  return <TextField {...shown} problem={problems[name]} value={fields[name]} onText={onText} />;
}

export function StartFieldsView(props: StartFieldsProps): JSX.Element {
  const { workflows: _workflows, ...form } = props;
  const { fields, problems, onChange } = form;
  return (
    <>
      <WorkflowFields {...props} />
      <JsonInput
        label="Input, as JSON"
        hint="The workflow checks it against its schema when the run begins."
        rows={10}
        text={fields.json}
        onText={(json) => onChange({ json })}
        problem={problems.json}
      />
      <div class="act-row">
        <StartField {...form} name="id" label="Run id" hint="One id stands for one run." isMono />
        <StartField {...form} name="key" label="Idempotency key (optional)" hint="One key stands for one run." isMono />
      </div>
      <MoreFields {...form} />
    </>
  );
}

function WorkflowFields({ workflows, ...form }: StartFieldsProps): JSX.Element {
  const chosen = workflows.filter(({ id }) => id === form.fields.workflowId);
  const versions = chosen.flatMap(({ version }) => version ?? []);
  const described = chosen.find(({ description }) => description !== undefined)?.description;
  return (
    <>
      <div class="act-row">
        <StartField
          {...form}
          name="workflowId"
          label="Workflow"
          isRequired
          suggestions={[...new Set(workflows.map(({ id }) => id))]}
        />
        <StartField {...form} name="version" label="Version (optional)" suggestions={versions} />
      </div>
      {described !== undefined && (
        <p class="muted">
          <Text of={described} max={300} />
        </p>
      )}
    </>
  );
}

function MoreFields(form: FormProps): JSX.Element {
  const { fields, problems, onChange } = form;
  return (
    <div class="act-row">
      <Field label="Tags, one a line (optional)" problem={problems.tags}>
        {(attributes) => (
          <textarea
            {...attributes}
            rows={3}
            value={fields.tags}
            spellcheck={false}
            onInput={(event) => onChange({ tags: event.currentTarget.value })}
          />
        )}
      </Field>
      <StartField {...form} name="delay" label="Delay (optional)" placeholder="10m" />
      <StartField {...form} name="timeout" label="Time budget (optional)" placeholder="2h" />
    </div>
  );
}
