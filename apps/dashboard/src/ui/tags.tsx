/**
 * The tags of a run. Each leads to the runs that have it.
 */
import type { JSX } from "preact";
import { runsPath } from "../router.ts";
import { Text } from "./text.tsx";

export function Tags({ tags }: { readonly tags: readonly string[] }): JSX.Element {
  return (
    <span class="tags">
      {tags.map((tag) => (
        <a class="tag" href={runsPath(`tag:${JSON.stringify(tag)}`)} key={tag}>
          <Text of={tag} max={60} />
        </a>
      ))}
    </span>
  );
}
