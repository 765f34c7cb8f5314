/**
 * Says how many entries of a journal are not loaded, so that nothing is missing silently (T5).
 */
import type { JSX } from "preact";

interface UnloadedProps {
  readonly notLoaded?: number | undefined;
  readonly isLoading?: boolean | undefined;
  readonly onLoadMore?: (() => void) | undefined;
}

export function Unloaded({ notLoaded = 0, isLoading = false, onLoadMore }: UnloadedProps): JSX.Element | null {
  if (notLoaded === 0) return null;
  return (
    <p class="unloaded">
      {notLoaded.toLocaleString("en")} earlier {notLoaded === 1 ? "entry is" : "entries are"} not loaded
      {isLoading ? ", loading…" : ". "}
      {onLoadMore === undefined || isLoading ? null : (
        <button type="button" onClick={onLoadMore}>
          Load more
        </button>
      )}
    </p>
  );
}
