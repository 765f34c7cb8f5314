/**
 * Fields in which the reader chooses: yes or no, one of several values, several of them.
 *
 * Owns: radio buttons for few options, a list for many. Nothing is chosen before the reader does, unless the schema has a
 * default: an answer that nobody gave must not be sent.
 */
import type { JSX } from "preact";
import { visible } from "../ui/text.tsx";
import { About, Below, type FieldProps, Fieldset, Label, describedBy, fieldId } from "./field-frame.tsx";
import type { Draft } from "./form-draft.ts";
import type { Option } from "./form-model.ts";

const RADIOS_MAX = 6;
const FLAG: readonly Option[] = [
  { value: true, label: "Yes" },
  { value: false, label: "No" },
];

/** What one option of a field looks like to its element. */
interface Chosen {
  readonly options: readonly Option[];
  readonly index: number | undefined;
  readonly choose: (index: number | undefined) => void;
}

export function ChoiceInput(props: FieldProps): JSX.Element | null {
  const chosen = chosenOf(props);
  if (chosen === undefined) return null;
  if (chosen.options.length > RADIOS_MAX) return <Select {...props} {...chosen} />;
  const { path, isRequired, form } = props;
  const group = fieldId(form.id, path);
  const rows = isRequired ? [] : [{ label: "No answer", description: undefined }];
  return (
    <Fieldset {...props}>
      {[...chosen.options, ...rows].map(({ label, description }, n) => {
        const index = n < chosen.options.length ? n : undefined;
        return (
          <label class="option" key={n}>
            <input
              type="radio"
              name={group}
              checked={chosen.index === index}
              disabled={form.disabled}
              onChange={() => chosen.choose(index)}
            />
            <span>
              {visible(label)}
              {description !== undefined && <span class="field-hint">{visible(description)}</span>}
            </span>
          </label>
        );
      })}
    </Fieldset>
  );
}

function chosenOf({ field, draft, onDraft }: FieldProps): Chosen | undefined {
  if (field.kind === "flag" && draft.kind === "flag") {
    const choose = (index: number | undefined): void =>
      onDraft({ kind: "flag", value: index === undefined ? undefined : index === 0 });
    return { options: FLAG, index: draft.value === undefined ? undefined : draft.value ? 0 : 1, choose };
  }
  if (field.kind !== "choice" || draft.kind !== "choice") return undefined;
  return { options: field.options, index: draft.index, choose: (index) => onDraft({ kind: "choice", index }) };
}

function Select(props: FieldProps & Chosen): JSX.Element {
  const { options, index, choose, path, isRequired, form } = props;
  const id = fieldId(form.id, path);
  return (
    <div class="ask-field">
      <label for={id}>
        <Label {...props} />
      </label>
      <About {...props} />
      <select
        id={id}
        disabled={form.disabled}
        aria-required={isRequired}
        aria-invalid={form.problems.has(path)}
        aria-describedby={describedBy(props)}
        value={index === undefined ? "" : String(index)}
        onChange={({ currentTarget: { value } }) => choose(value === "" ? undefined : Number(value))}
      >
        <option value="">{isRequired ? "Choose one" : "No answer"}</option>
        {options.map(({ label }, n) => (
          <option value={String(n)} key={n}>
            {visible(label)}
          </option>
        ))}
      </select>
      <Below {...props} />
    </div>
  );
}

export function SeveralInput(props: FieldProps): JSX.Element | null {
  const { field, draft, onDraft, form } = props;
  if (field.kind !== "several" || draft.kind !== "several") return null;
  const { chosen } = draft;
  const toggle = (n: number, isOn: boolean): Draft => ({
    kind: "several",
    chosen: isOn ? [...chosen, n] : chosen.filter((one) => one !== n),
  });
  return (
    <Fieldset {...props}>
      {field.options.map(({ label, description }, n) => (
        <label class="option" key={n}>
          <input
            type="checkbox"
            checked={chosen.includes(n)}
            disabled={form.disabled}
            onChange={(event) => onDraft(toggle(n, event.currentTarget.checked))}
          />
          <span>
            {visible(label)}
            {description !== undefined && <span class="field-hint">{visible(description)}</span>}
          </span>
        </label>
      ))}
    </Fieldset>
  );
}
