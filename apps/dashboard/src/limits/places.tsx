/**
 * How many places of a limit are taken: as a number, and as a bar.
 */
import type { LimitRecord } from "@holdfast/workflows/client";
import type { JSX } from "preact";

export function Places({ limit: { held, max } }: { readonly limit: LimitRecord }): JSX.Element {
  return (
    <>
      <span class="num">
        {held.toLocaleString("en")} of {max === null ? "any number" : max.toLocaleString("en")}
      </span>
      {max !== null && (
        <svg
          class={held >= max ? "meter is-full" : "meter"}
          viewBox="0 0 100 6"
          preserveAspectRatio="none"
          aria-hidden="true"
        >
          <rect width={Math.min(100, (100 * held) / max)} height="6" />
        </svg>
      )}
    </>
  );
}
