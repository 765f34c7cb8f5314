/**
 * A field for JSON.
 *
 * Owns: the text area, the line about its first error with its place, and the button that lays the text out. The text stays
 * as the reader typed it; the owner of the form keeps it and parses it with `parseJson` before it sends anything.
 */
import { useId, useRef } from "preact/hooks";
import type { ComponentChildren, JSX, RefObject } from "preact";
import { type JsonProblem, layOutJson, parseJson } from "./json-text.ts";

export interface JsonInputProps {
  readonly label: string;
  readonly text: string;
  readonly onText: (text: string) => void;
  /** A line below the label. */
  readonly hint?: ComponentChildren;
  /** What the server, or the owner of the form, has against the value. */
  readonly problem?: string | undefined;
  /** Lines that are visible without scrolling. */
  readonly rows?: number;
  readonly disabled?: boolean;
}

export function JsonInput(props: JsonInputProps): JSX.Element {
  const { label, text, onText, hint, problem, rows = 6, disabled = false } = props;
  const id = useId();
  const area = useRef<HTMLTextAreaElement>(null);
  const parsed = parseJson(text);
  const syntax = parsed.kind === "invalid" ? parsed.problem : undefined;
  const canFormat = !disabled && parsed.kind === "value";
  return (
    <div class="json-input">
      <div class="json-input-top">
        <label for={id}>{label}</label>
        <button type="button" class="quiet" disabled={!canFormat} onClick={() => onText(layOutJson(text))}>
          Format
        </button>
      </div>
      {hint !== undefined && (
        <p class="muted" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      <textarea
        id={id}
        ref={area}
        class="mono"
        rows={rows}
        spellcheck={false}
        autocapitalize="off"
        autocomplete="off"
        disabled={disabled}
        aria-invalid={syntax !== undefined || problem !== undefined}
        aria-describedby={`${hint === undefined ? "" : `${id}-hint `}${id}-problem`}
        value={text}
        onInput={(event) => onText(event.currentTarget.value)}
      />
      <p id={`${id}-problem`} class="field-problem">
        {syntax === undefined ? problem : <SyntaxProblem of={syntax} area={area} />}
      </p>
    </div>
  );
}

interface SyntaxProblemProps {
  readonly of: JsonProblem;
  readonly area: RefObject<HTMLTextAreaElement | null>;
}

/** The place is a button that puts the caret there. */
function SyntaxProblem({ of: { at, line, column, message }, area }: SyntaxProblemProps): JSX.Element {
  const show = (): void => {
    area.current?.focus();
    area.current?.setSelectionRange(at, at + 1);
  };
  return (
    <>
      <button type="button" class="link" onClick={show}>
        Line {line}, column {column}
      </button>{" "}
      {message}
    </>
  );
}
