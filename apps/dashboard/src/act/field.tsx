/**
 * A field of a form, with its label, a hint, and what is wrong with it.
 */
import type { ComponentChildren, JSX } from "preact";
import { useId } from "preact/hooks";
import { visible } from "../ui/text.tsx";

interface FieldProps {
  readonly label: string;
  readonly hint?: ComponentChildren;
  readonly problem: string | undefined;
}

interface FrameProps extends FieldProps {
  readonly children: (attributes: Attributes) => ComponentChildren;
}

/** What the control of a field needs, so that it has a name and screen readers say what is wrong. */
interface Attributes {
  readonly id: string;
  readonly "aria-describedby": string;
  readonly "aria-invalid": boolean;
}

export function Field({ label, hint, problem, children }: FrameProps): JSX.Element {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {hint !== undefined && (
        <p class="muted" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {children({
        id,
        "aria-describedby": `${hint === undefined ? "" : `${id}-hint `}${id}-problem`,
        "aria-invalid": problem !== undefined,
      })}
      <p id={`${id}-problem`} class="field-problem">
        {problem === undefined ? null : visible(problem)}
      </p>
    </div>
  );
}

export interface TextFieldProps extends FieldProps {
  readonly value: string;
  readonly onText: (text: string) => void;
  readonly isMono?: boolean;
  readonly isRequired?: boolean;
  readonly placeholder?: string;
  /** Values to choose from, which are not the only ones. */
  readonly suggestions?: readonly string[];
}

/** How many suggestions are buttons, too. */
const BUTTONS_MAX = 8;

export function TextField(props: TextFieldProps): JSX.Element {
  const { value, onText, isMono = false, isRequired = false, suggestions = [], placeholder, ...field } = props;
  const list = useId();
  return (
    <Field {...field}>
      {(attributes) => (
        <>
          <input
            {...attributes}
            class={isMono ? "mono" : undefined}
            list={suggestions.length === 0 ? undefined : list}
            required={isRequired}
            placeholder={placeholder}
            value={value}
            autocomplete="off"
            spellcheck={false}
            onInput={(event) => onText(event.currentTarget.value)}
          />
          {suggestions.length > 0 && (
            <Suggestions id={list} names={suggestions} isOpen={value === ""} onText={onText} />
          )}
        </>
      )}
    </Field>
  );
}

interface SuggestionsProps {
  readonly id: string;
  readonly names: readonly string[];
  readonly isOpen: boolean;
  readonly onText: (text: string) => void;
}

function Suggestions({ id, names, isOpen, onText }: SuggestionsProps): JSX.Element {
  return (
    <>
      <datalist id={id}>
        {names.map((name) => (
          <option value={name} key={name} />
        ))}
      </datalist>
      {isOpen && (
        <span class="suggestions" role="group" aria-label="Suggestions">
          {names.slice(0, BUTTONS_MAX).map((name) => (
            <button type="button" class="chip" key={name} onClick={() => onText(name)}>
              {visible(name.slice(0, 60))}
            </button>
          ))}
        </span>
      )}
    </>
  );
}

interface SelectFieldProps extends FieldProps {
  readonly value: string;
  readonly onChange: (value: string) => void;
  /** Values with their texts. */
  readonly options: readonly (readonly [value: string, text: string])[];
}

export function SelectField({ value, onChange, options, ...field }: SelectFieldProps): JSX.Element {
  return (
    <Field {...field}>
      {(attributes) => (
        <select {...attributes} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
          {options.map(([one, text]) => (
            <option value={one} key={one}>
              {visible(text)}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
