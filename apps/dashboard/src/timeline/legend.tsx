/**
 * What the shapes of the timeline mean.
 *
 * Owns: one example of each shape, drawn as in the rows.
 */
import type { JSX } from "preact";
import type { SpanKind, RowState } from "./rows.ts";
import { ROW_PX, Shape } from "./track.tsx";

export const EXAMPLES: readonly (readonly [SpanKind, RowState, string, string?])[] = [
  ["attempt", "completed", "attempt"],
  ["attempt", "failed", "failed attempt"],
  ["delay", "retrying", "delay before the next"],
  ["wait", "completed", "wait"],
  ["child", "completed", "child run"],
  ["attempt", "completed", "compensation", "compensation"],
];

export function Legend(): JSX.Element {
  return (
    <ul class="tl-legend" aria-label="Legend">
      {EXAMPLES.map(([kind, state, text, of]) => (
        <li key={text}>
          <svg width="24" height={ROW_PX} aria-hidden="true" data-kind={of}>
            <Shape bar={{ kind, state, x: 1, width: 22, isOpen: false }} />
          </svg>
          {text}
        </li>
      ))}
    </ul>
  );
}
