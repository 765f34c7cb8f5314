/**
 * A value as a tree that the reader opens.
 *
 * Owns: how much of it is in the document: the members of an opened node, a hundred at first, and 64 Ki characters of a
 * text. The rest is one button away, and its size is named. Everything is text: no markup, no links.
 */
import { useState } from "preact/hooks";
import type { JSX } from "preact";
import { visible } from "./text.tsx";

const MEMBERS = 100;
const TEXT_CHARS = 64 * 1_024;
/** A text of this length is shown whole in a line. */
const LINE_CHARS = 120;

export function Tree({ value }: { readonly value: unknown }): JSX.Element {
  return (
    <div class="tree">
      <Node value={value} isOpen />
    </div>
  );
}

interface NodeProps {
  readonly value: unknown;
  readonly name?: string;
  readonly isOpen?: boolean;
}

function Node({ value, name, isOpen = false }: NodeProps): JSX.Element {
  if (typeof value === "object" && value !== null) return <Folder value={value} name={name} isOpen={isOpen} />;
  return (
    <div class="leaf">
      <Name of={name} />
      {typeof value === "string" ? (
        <TextValue text={value} />
      ) : (
        <span class={`is-${value === null ? "null" : typeof value}`}>{String(value)}</span>
      )}
    </div>
  );
}

interface FolderProps {
  readonly value: object;
  readonly name: string | undefined;
  readonly isOpen: boolean;
}

function Folder({ value, name, isOpen }: FolderProps): JSX.Element {
  const [open, setOpen] = useState(isOpen);
  const [shown, setShown] = useState(MEMBERS);
  const members = Object.entries(value);
  const size = Array.isArray(value) ? `[${members.length}]` : `{${members.length}}`;
  if (members.length === 0)
    return (
      <div class="leaf">
        <Name of={name} />
        <span class="muted">{Array.isArray(value) ? "[]" : "{}"}</span>
      </div>
    );
  return (
    <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <Name of={name} />
        <span class="muted">
          {size} {!open && preview(value)}
        </span>
      </summary>
      {open && (
        <div class="members">
          {members.slice(0, shown).map(([key, member]) => (
            <Node name={key} value={member} key={key} />
          ))}
          {members.length > shown && (
            <button type="button" class="quiet" onClick={() => setShown(shown * 10)}>
              Show more ({members.length - shown} left)
            </button>
          )}
        </div>
      )}
    </details>
  );
}

function Name({ of }: { readonly of: string | undefined }): JSX.Element | null {
  return of === undefined ? null : (
    <>
      <bdi class="key">{visible(of.slice(0, LINE_CHARS))}</bdi>
      <span class="muted">: </span>
    </>
  );
}

function TextValue({ text }: { readonly text: string }): JSX.Element {
  const [all, setAll] = useState(false);
  const shown = all ? text : text.slice(0, TEXT_CHARS);
  return (
    <>
      <bdi class={shown.length > LINE_CHARS || shown.includes("\n") ? "is-string is-block" : "is-string"}>
        {visible(shown)}
      </bdi>
      {shown.length < text.length && (
        <button type="button" class="quiet" onClick={() => setAll(true)}>
          Load all {text.length.toLocaleString("en")} characters
        </button>
      )}
    </>
  );
}

/** The first members in a line, without their members. */
function preview(value: object): string {
  const parts = Object.entries(value)
    .slice(0, 4)
    .map(([key, member]) => {
      const text = typeof member === "object" && member !== null ? "…" : JSON.stringify(member).slice(0, 30);
      return Array.isArray(value) ? text : `${key.slice(0, 30)}: ${text}`;
    });
  return visible(parts.join(", "));
}
