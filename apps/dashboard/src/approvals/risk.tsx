/**
 * The risk of an ask, by its shape, its colour and its name.
 */
import type { JSX } from "preact";
import type { OpenAsk } from "./approval.ts";

type Risk = NonNullable<OpenAsk["risk"]>;

/** Paths in a square of 16. */
const SHAPES: Readonly<Record<Risk, JSX.Element>> = {
  low: <circle cx="8" cy="8" r="4.5" />,
  medium: <path d="M8 2 14 8 8 14 2 8zM8 5.6v2.8M8 10.4v.2" />,
  high: <path d="M8 2 14.6 13.4H1.4zM8 6.2v3.4M8 11.4v.2" stroke-width="2" />,
};

export function RiskMark({ risk }: { readonly risk: Risk | undefined }): JSX.Element | null {
  // A list that is not ours may have other words.
  if (risk === undefined || !Object.hasOwn(SHAPES, risk)) return null;
  return (
    <span class={`risk is-${risk}-risk`}>
      <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
        {SHAPES[risk]}
      </svg>
      {risk[0]?.toUpperCase() + risk.slice(1)} risk
    </span>
  );
}
