/**
 * The fields of a form, from its model.
 *
 * Owns: the element of each kind of field.
 */
import type { JSX } from "preact";
import { JsonInput } from "../ui/json-input.tsx";
import { visible } from "../ui/text.tsx";
import { ChoiceInput, SeveralInput } from "./choice-fields.tsx";
import { About, Below, type FieldProps, Fieldset, Label, describedBy, fieldId } from "./field-frame.tsx";
import { pathTo } from "./form-answer.ts";
import { type Draft, type ListItem, draftOf } from "./form-draft.ts";
import type { GroupField, JsonField, ListField, TextField } from "./form-model.ts";

export function FieldView(props: FieldProps): JSX.Element | null {
  const { field, draft } = props;
  if (field.kind === "group" && draft.kind === "group")
    return <Group {...props} field={field} members={draft.members} />;
  if (field.kind === "list" && draft.kind === "list") return <List {...props} field={field} rows={draft.items} />;
  return <Leaf {...props} onDraft={(changed) => (props.form.touch(props.path), props.onDraft(changed))} />;
}

function Leaf(props: FieldProps): JSX.Element | null {
  const { field, draft } = props;
  if (field.kind === "constant") return <Constant {...props} />;
  if (field.kind === "json" && draft.kind === "text") return <Json {...props} field={field} text={draft.text} />;
  if (field.kind === "choice" || field.kind === "flag") return <ChoiceInput {...props} />;
  if (field.kind === "several") return <SeveralInput {...props} />;
  return draft.kind === "text" ? <Line {...props} text={draft.text} /> : null;
}

const TYPES = {
  line: "text",
  area: "text",
  email: "email",
  url: "url",
  date: "date",
  "date-time": "datetime-local",
} as const satisfies Readonly<Record<TextField["input"], string>>;

function Line(props: FieldProps & { readonly text: string }): JSX.Element {
  const { field, text, onDraft, path, isRequired, form } = props;
  const id = fieldId(form.id, path);
  const common = {
    id,
    value: text,
    disabled: form.disabled,
    "aria-required": isRequired,
    "aria-invalid": form.problems.has(path),
    "aria-describedby": describedBy(props),
    onInput: (event: { readonly currentTarget: { readonly value: string } }): void =>
      onDraft({ kind: "text", text: event.currentTarget.value }),
  };
  const isArea = field.kind === "text" && field.input === "area";
  // A cast: the types of Preact have a union of inputs, not an input of a union.
  const type = TYPES[field.kind === "text" ? field.input : "line"] as "text";
  const mode = field.kind !== "number" ? undefined : field.isInteger ? "numeric" : "decimal";
  return (
    <div class="ask-field">
      <label for={id}>
        <Label {...props} />
      </label>
      <About {...props} />
      {isArea ? (
        <textarea rows={4} {...common} />
      ) : (
        <input type={type} inputMode={mode} autocomplete="off" {...common} />
      )}
      <Below {...props} />
    </div>
  );
}

function Constant({ field, name, isRequired }: FieldProps): JSX.Element | null {
  if (field.kind !== "constant" || !isRequired) return null;
  return (
    <p class="ask-field constant">
      {visible(field.title ?? name)}: <code>{visible(JSON.stringify(field.value))}</code>
    </p>
  );
}

function Json(props: FieldProps<JsonField> & { readonly text: string }): JSX.Element {
  const { field, text, onDraft, path, name, isRequired, form } = props;
  const label = `${visible(field.title ?? name)}, as JSON${isRequired ? "" : " (optional)"}`;
  return (
    <div class="ask-field json-field">
      <JsonInput
        label={label}
        text={text}
        onText={(changed) => onDraft({ kind: "text", text: changed })}
        hint={field.description === undefined ? undefined : visible(field.description)}
        problem={form.problems.get(path)?.map(visible).join(" ")}
        disabled={form.disabled}
      />
      <SchemaText schema={field.schema} />
    </div>
  );
}

export function SchemaText({ schema }: { readonly schema: unknown }): JSX.Element {
  return (
    <details class="schema" open>
      <summary>Schema</summary>
      <pre tabIndex={0} aria-label="JSON Schema">
        {visible(JSON.stringify(schema, null, 2).slice(0, 32_768))}
      </pre>
    </details>
  );
}

function Group(props: FieldProps<GroupField> & { readonly members: readonly Draft[] }): JSX.Element {
  const { field, members, onDraft, path, form } = props;
  const fields = field.members.map(({ name, field: member, isRequired }, n) => {
    const draft = members[n];
    if (draft === undefined) return null;
    const change = (changed: Draft): void => onDraft({ kind: "group", members: members.with(n, changed) });
    const inner = { field: member, draft, onDraft: change, path: pathTo(path, name), name, isRequired, form };
    return <FieldView key={name} {...inner} />;
  });
  // The form itself is no group on the page: the ask around it has the title.
  if (path === "")
    return (
      <>
        {field.description !== undefined && <About {...props} />}
        {fields}
      </>
    );
  return <Fieldset {...props}>{fields}</Fieldset>;
}

function List(props: FieldProps<ListField> & { readonly rows: readonly ListItem[] }): JSX.Element {
  const { field, rows, draft, onDraft, path, form } = props;
  const nextId = draft.kind === "list" ? draft.nextId : 0;
  const change = (items: readonly ListItem[]): void => onDraft({ kind: "list", items, nextId: nextId + 1 });
  const resize = (items: readonly ListItem[]): void => (form.touch(path), change(items));
  return (
    <Fieldset {...props}>
      {rows.map((row, n) => (
        <div class="list-row" key={row.id}>
          <FieldView
            field={field.item}
            draft={row.draft}
            onDraft={(changed) => change(rows.with(n, { id: row.id, draft: changed }))}
            path={pathTo(path, n)}
            name={String(n + 1)}
            isRequired
            form={form}
          />
          <button
            type="button"
            class="quiet"
            disabled={form.disabled}
            aria-label={`Remove ${visible(field.title ?? props.name)} ${n + 1}`}
            onClick={() => resize(rows.toSpliced(n, 1))}
          >
            Remove
          </button>
        </div>
      ))}
      <button
        type="button"
        disabled={form.disabled || (field.max !== undefined && rows.length >= field.max)}
        onClick={() => resize([...rows, { id: nextId, draft: draftOf(field.item) }])}
      >
        Add {rows.length === 0 ? "one" : "another"}
      </button>
    </Fieldset>
  );
}
