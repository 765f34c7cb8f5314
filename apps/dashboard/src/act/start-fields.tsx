/**
 * The fields of a new run.
 */
import type { WorkflowInfo } from "@holdfast/workflows/client";
import type { JSX } from "preact";
import { JsonInput } from "../ui/json-input.tsx";
import { Text } from "../ui/text.tsx";
import { Field, TextField } from "./field.tsx";
import type { StartFields, StartProblems } from "./start-form.ts";

interface StartFieldsProps {
  readonly fields: StartFields;
  readonly problems: StartProblems;
  readonly workflows: readonly WorkflowInfo[];
  readonly onChange: (more: Partial<StartFields>) => void;
}

export function StartFieldsView(props: StartFieldsProps): JSX.Element {
  const { fields, problems, onChange } = props;
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
        <TextField
          label="Run id"
          hint="One id stands for one run."
          problem={problems.id}
          isMono
          value={fields.id}
          onText={(id) => onChange({ id })}
        />
        <TextField
          label="Idempotency key (optional)"
          hint="One key stands for one run."
          problem={problems.key}
          isMono
          value={fields.key}
          onText={(key) => onChange({ key })}
        />
      </div>
      <MoreFields fields={fields} problems={problems} onChange={onChange} />
    </>
  );
}

function WorkflowFields({ fields, problems, workflows, onChange }: StartFieldsProps): JSX.Element {
  const chosen = workflows.filter(({ id }) => id === fields.workflowId);
  const versions = chosen.flatMap(({ version }) => version ?? []);
  const described = chosen.find(({ description }) => description !== undefined)?.description;
  return (
    <>
      <div class="act-row">
        <TextField
          label="Workflow"
          problem={problems.workflowId}
          isRequired
          value={fields.workflowId}
          suggestions={[...new Set(workflows.map(({ id }) => id))]}
          onText={(workflowId) => onChange({ workflowId })}
        />
        <TextField
          label="Version (optional)"
          problem={problems.version}
          value={fields.version}
          suggestions={versions}
          onText={(version) => onChange({ version })}
        />
      </div>
      {described !== undefined && (
        <p class="muted">
          <Text of={described} max={300} />
        </p>
      )}
    </>
  );
}

function MoreFields({ fields, problems, onChange }: Omit<StartFieldsProps, "workflows">): JSX.Element {
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
      <TextField
        label="Delay (optional)"
        placeholder="10m"
        problem={problems.delay}
        value={fields.delay}
        onText={(delay) => onChange({ delay })}
      />
      <TextField
        label="Time budget (optional)"
        placeholder="2h"
        problem={problems.timeout}
        value={fields.timeout}
        onText={(timeout) => onChange({ timeout })}
      />
    </div>
  );
}
