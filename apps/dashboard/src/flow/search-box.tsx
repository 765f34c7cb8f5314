/**
 * The search of a list: a name, or a name and a key with a space between.
 */
import type { JSX } from "preact";
import { useLayoutEffect, useState } from "preact/hooks";

interface SearchBoxProps {
  readonly label: string;
  readonly placeholder: string;
  /** The name of the URL. */
  readonly text: string;
  readonly onSearch: (name: string | undefined, key: string | undefined) => void;
}

export function SearchBox({ label, placeholder, text, onSearch }: SearchBoxProps): JSX.Element {
  const [typed, setTyped] = useState(text);
  useLayoutEffect(() => setTyped(text), [text]);
  const submit = (event: Event): void => {
    event.preventDefault();
    const [name = "", ...key] = typed.trim().split(" ");
    onSearch(name === "" ? undefined : name, key.length === 0 ? undefined : key.join(" "));
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
        placeholder={placeholder}
        autocomplete="off"
        spellcheck={false}
        value={typed}
        onInput={(event) => setTyped(event.currentTarget.value)}
      />
      <kbd aria-hidden="true">/</kbd>
    </form>
  );
}
