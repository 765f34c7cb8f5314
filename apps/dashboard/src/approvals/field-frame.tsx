/**
 * What surrounds every field of a form: its label, its description, its hint, and what is wrong with it.
 *
 * Owns: the ids. The id of a field follows from its path, so that a problem leads to it.
 */
import type { ComponentChildren, JSX } from "preact";
import { visible } from "../ui/text.tsx";
import type { Draft } from "./form-draft.ts";
import { hintOf } from "./form-hints.ts";
import type { Field } from "./form-model.ts";

/** What all fields of a form share. */
interface FormContext {
  /** The begin of all ids. */
  readonly id: string;
  readonly problems: ReadonlyMap<string, readonly string[]>;
  readonly disabled: boolean;
  /** The reader changed what is at the path: it may be right now. */
  readonly touch: (path: string) => void;
}

export interface FieldProps<Kind extends Field = Field> {
  readonly field: Kind;
  readonly draft: Draft;
  readonly onDraft: (draft: Draft) => void;
  /** Where it is in the answer: a JSON Pointer. */
  readonly path: string;
  /** The label, if the schema gives no title. */
  readonly name: string;
  readonly isRequired: boolean;
  readonly form: FormContext;
}

export function fieldId(form: string, path: string): string {
  return `${form}${encodeURIComponent(path.toWellFormed())}`;
}

/** The ids of what describes a field, for `aria-describedby`. */
export function describedBy({ field, path, form }: FieldProps): string {
  const id = fieldId(form.id, path);
  return [
    ...(field.description === undefined ? [] : [`${id}-about`]),
    ...(hintOf(field) === "" ? [] : [`${id}-hint`]),
    ...(form.problems.has(path) ? [`${id}-problem`] : []),
  ].join(" ");
}

export function Label({ field, name, isRequired }: Pick<FieldProps, "field" | "name" | "isRequired">): JSX.Element {
  return (
    <>
      {visible(field.title ?? name)}
      {!isRequired && <span class="muted optional"> (optional)</span>}
    </>
  );
}

/** The description above a field. */
export function About({ field, path, form }: FieldProps): JSX.Element | null {
  if (field.description === undefined) return null;
  return (
    <p class="field-about" id={`${fieldId(form.id, path)}-about`}>
      {visible(field.description)}
    </p>
  );
}

/** The hint and the problems below a field. */
export function Below({ field, path, form }: FieldProps): JSX.Element {
  const id = fieldId(form.id, path);
  const problems = form.problems.get(path);
  const hint = hintOf(field);
  return (
    <>
      {problems !== undefined && (
        <p class="field-problem" id={`${id}-problem`}>
          {problems.map(visible).join(" ")}
        </p>
      )}
      {hint !== "" && (
        <p class="field-hint" id={`${id}-hint`}>
          {visible(hint)}
        </p>
      )}
    </>
  );
}

export function Fieldset(props: FieldProps & { readonly children: ComponentChildren }): JSX.Element {
  const { path, form, children } = props;
  return (
    <fieldset class="ask-field" id={fieldId(form.id, path)} tabIndex={-1} aria-describedby={describedBy(props)}>
      <legend>
        <Label {...props} />
      </legend>
      <About {...props} />
      {children}
      <Below {...props} />
    </fieldset>
  );
}
