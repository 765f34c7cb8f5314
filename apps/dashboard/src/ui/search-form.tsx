/**
 * The search field of a list. Its text follows the URL until a person types.
 */
import type { JSX } from "preact";
import { useLayoutEffect, useState } from "preact/hooks";

interface SearchFormProps {
  readonly label: string;
  readonly placeholder: string;
  /** The text of the URL. */
  readonly text: string;
  /** What is wrong with that text. */
  readonly problem?: string | undefined;
  readonly onSearch: (text: string) => void;
}

export function SearchForm({ label, placeholder, text, problem, onSearch }: SearchFormProps): JSX.Element {
  const [typed, setTyped] = useState(text);
  useLayoutEffect(() => setTyped(text), [text]);
  const submit = (event: Event): void => {
    event.preventDefault();
    onSearch(typed);
  };
  return (
    <form class="search" role="search" onSubmit={submit}>
      <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
        <path d="M7 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9M10.4 10.4l3.4 3.4" />
      </svg>
      <input
        type="search"
        id="search"
        aria-label={label}
        aria-describedby={problem === undefined ? undefined : "search-problem"}
        aria-invalid={problem !== undefined}
        placeholder={placeholder}
        autocomplete="off"
        spellcheck={false}
        value={typed}
        onInput={(event) => setTyped(event.currentTarget.value)}
      />
      <kbd aria-hidden="true">/</kbd>
      {problem !== undefined && (
        <p id="search-problem" class="note is-bad">
          {problem}
        </p>
      )}
    </form>
  );
}
