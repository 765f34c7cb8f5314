/**
 * The fields of a resume: the step from which it executes again, the input, and results of steps.
 *
 * Owns: what of it the reader edits. A result is that of the first use of its name, as in the API.
 */
import type { RunOverview } from "@holdfast/workflows/client";
import type { JSX } from "preact";
import { JsonInput } from "../ui/json-input.tsx";
import { visible } from "../ui/text.tsx";
import { SelectField, TextField } from "./field.tsx";
import type { FieldsProps } from "./fields-props.ts";
import type { Fields } from "./forms.ts";
import { type StepOfRun, stepsOf } from "./preview.ts";

/** Later steps are chosen in the timeline. */
const STEPS_MAX = 500;

export function ResumeFields({ data, fields, problems, onChange }: FieldsProps): JSX.Element {
  const record = data.record.value;
  const steps = stepsOf(data.entries.value);
  const shown = steps.slice(0, STEPS_MAX);
  return (
    <>
      <SelectField
        label="Execute again from"
        hint={steps.length > STEPS_MAX ? `The first ${STEPS_MAX} of ${steps.length} steps are listed.` : undefined}
        problem={problems.step}
        value={fields.step === undefined ? "" : valueOf(fields.step)}
        onChange={(value) => onChange({ step: stepOf(value) })}
        options={[["", defaultText(record)], ...withChosen(shown, fields.step).map(optionOf)]}
      />
      <JsonInput
        label="Other input, as JSON (optional)"
        hint={<EditInput record={record} onChange={onChange} />}
        text={fields.json}
        onText={(json) => onChange({ json })}
        problem={problems.json}
      />
      <Results steps={shown} results={fields.results} problem={problems.results} onChange={onChange} />
      <TextField
        label="Id of the new run"
        problem={problems.id}
        isMono
        value={fields.id}
        onText={(id) => onChange({ id })}
      />
    </>
  );
}

interface EditInputProps {
  readonly record: RunOverview | undefined;
  readonly onChange: (more: Partial<Fields>) => void;
}

function EditInput({ record, onChange }: EditInputProps): JSX.Element {
  return (
    <button
      type="button"
      class="link"
      disabled={record === undefined || record.truncated === true}
      onClick={() => onChange({ json: jsonOf(record?.input) })}
    >
      Edit the input of this run
    </button>
  );
}

function defaultText(record: RunOverview | undefined): string {
  const step = record?.error?.step;
  if (step !== undefined) return `The step that failed: ${step}`;
  return record?.status === "completed" ? "Choose a step" : "No step: only what has no result";
}

/** The chosen step is in the list, also if it is one of many, or its page of the journal is not read yet. */
function withChosen(
  steps: readonly StepOfRun[],
  chosen: Fields["step"],
): readonly (StepOfRun | NonNullable<Fields["step"]>)[] {
  if (chosen === undefined || steps.some((step) => valueOf(step) === valueOf(chosen))) return steps;
  return [...steps, chosen];
}

function optionOf(step: StepOfRun | NonNullable<Fields["step"]>): readonly [string, string] {
  const { name, occurrence } = step;
  const use = occurrence > 0 ? ` (use no. ${occurrence + 1})` : "";
  const outcome = "outcome" in step ? `, ${step.outcome ?? "not ended"}` : "";
  return [valueOf(step), `${name}${use}${outcome}`];
}

interface ResultsProps {
  readonly steps: readonly StepOfRun[];
  readonly results: Fields["results"];
  readonly problem: string | undefined;
  readonly onChange: (more: Partial<Fields>) => void;
}

function Results({ steps, results, problem, onChange }: ResultsProps): JSX.Element {
  const left = steps.filter(({ name, occurrence }) => occurrence === 0 && !Object.hasOwn(results, name));
  const names = new Set(Object.keys(results));
  const set = (name: string, json: string): void => onChange({ results: { ...results, [name]: json } });
  const remove = (name: string): void => {
    names.delete(name);
    onChange({ results: Object.fromEntries([...names].map((one) => [one, results[one] ?? ""])) });
  };
  return (
    <fieldset class="results">
      <legend>Results of steps (optional, needs the scope operate)</legend>
      <p class="muted">The bodies of these steps do not execute: the new run gets these results.</p>
      {Object.entries(results).map(([name, json]) => (
        <div key={name}>
          <JsonInput label={`Result of ${visible(name)}`} rows={3} text={json} onText={(text) => set(name, text)} />
          <button type="button" class="quiet" onClick={() => remove(name)}>
            Leave out the result of {visible(name)}
          </button>
        </div>
      ))}
      <AddResult steps={left} onAdd={(step) => set(step.name, jsonOf(step.value ?? null))} />
      {problem !== undefined && <p class="field-problem">{visible(problem)}</p>}
    </fieldset>
  );
}

interface AddResultProps {
  readonly steps: readonly StepOfRun[];
  readonly onAdd: (step: StepOfRun) => void;
}

function AddResult({ steps, onAdd }: AddResultProps): JSX.Element | null {
  if (steps.length === 0) return null;
  return (
    <select
      aria-label="Give the result of a step"
      value=""
      onChange={(event) => {
        const step = steps.find(({ name }) => name === event.currentTarget.value);
        if (step !== undefined) onAdd(step);
      }}
    >
      <option value="">Give the result of a step…</option>
      {steps.map(({ name }) => (
        <option value={name} key={name}>
          {visible(name)}
        </option>
      ))}
    </select>
  );
}

function jsonOf(value: unknown): string {
  return value === undefined ? "" : JSON.stringify(value, null, 2);
}

/** The value of an option: `occurrence/name`. */
function valueOf({ name, occurrence }: NonNullable<Fields["step"]>): string {
  return `${occurrence}/${name}`;
}

function stepOf(value: string): Fields["step"] {
  const at = value.indexOf("/");
  return at < 0 ? undefined : { name: value.slice(at + 1), occurrence: Number(value.slice(0, at)) };
}
