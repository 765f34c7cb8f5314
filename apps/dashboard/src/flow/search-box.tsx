/**
 * The search of a list: a name, or a name and a key with a space between.
 */
import type { JSX } from "preact";
import { SearchForm } from "../ui/search-form.tsx";

interface SearchBoxProps {
  readonly label: string;
  readonly placeholder: string;
  /** The name of the URL. */
  readonly text: string;
  readonly onSearch: (name: string | undefined, key: string | undefined) => void;
}

export function SearchBox({ onSearch, ...shown }: SearchBoxProps): JSX.Element {
  const search = (text: string): void => {
    const [name = "", ...key] = text.trim().split(" ");
    onSearch(name === "" ? undefined : name, key.length === 0 ? undefined : key.join(" "));
  };
  return <SearchForm {...shown} onSearch={search} />;
}
