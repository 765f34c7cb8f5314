/**
 * Keeps the rows of a list where the reader sees them, while others are added above them (T5).
 *
 * Owns: the scroll position after a change. All rows have the same height. A list whose beginning is not loaded opens at its
 * end, where its newest rows are.
 */
import { useLayoutEffect, useRef } from "preact/hooks";

export interface AnchoredRows<Key> {
  readonly count: number;
  readonly rowPx: number;
  readonly keyAt: (index: number) => Key | undefined;
  /** `undefined` or -1: it is not there any more. */
  readonly indexOf: (key: Key) => number | undefined;
  readonly opensAtEnd: boolean;
}

export function useAnchor<Key>(
  scroll: { readonly current: HTMLElement | null },
  { count, rowPx, keyAt, indexOf, opensAtEnd }: AnchoredRows<Key>,
): void {
  const anchor = useRef<{ readonly key: Key; readonly index: number }>(undefined);
  useLayoutEffect(() => {
    const element = scroll.current;
    if (element === null || count === 0) return;
    const before = anchor.current;
    const index = before && indexOf(before.key);
    if (before === undefined && opensAtEnd) element.scrollTop = element.scrollHeight;
    if (before !== undefined && index !== undefined && index >= 0 && index !== before.index)
      element.scrollTop += (index - before.index) * rowPx;
    const first = Math.floor(element.scrollTop / rowPx);
    const key = keyAt(first);
    anchor.current = key === undefined ? undefined : { key, index: first };
  });
}
