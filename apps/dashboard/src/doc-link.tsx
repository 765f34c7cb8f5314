/** A link to the page about an error code, on the site of the documents. */
import type { JSX } from "preact";

export function DocLink({ url }: { readonly url: string }): JSX.Element | null {
  if (!url.startsWith("https://")) return null;
  return (
    <a href={url} target="_blank" rel="noopener noreferrer">
      What this means
    </a>
  );
}
