/**
 * Says whether the page is current.
 *
 * Owns: its words, and how often a screen reader announces them: a change is announced at most every five seconds.
 */
import { useEffect, useRef, useState } from "preact/hooks";
import type { JSX } from "preact";
import type { LiveState } from "./follow.ts";

const WORDS: Readonly<Record<LiveState, readonly [name: string, meaning: string]>> = {
  connecting: ["Connecting", "The page connects to the run."],
  live: ["Live", "Changes of the run appear at once."],
  reconnecting: ["Reconnecting", "The connection broke. The page connects again, and misses nothing."],
  polling: ["Polling", "No socket passes here. The page asks every two seconds."],
  suspended: ["Suspended", "The page was hidden. It catches up when it is shown."],
  "signed out": ["Signed out", "Sign in to follow the run."],
  ended: ["Ended", "The run has ended. Nothing of it changes any more."],
};

const ANNOUNCE_MS = 5_000;

interface IndicatorProps {
  readonly state: LiveState;
  /** What a screen reader announces beside the state, such as the number of new entries. */
  readonly news: string;
}

export function LiveIndicator({ state, news }: IndicatorProps): JSX.Element {
  const [name, meaning] = WORDS[state];
  return (
    <span class="live" data-live={state}>
      <span class="live-dot" aria-hidden="true" />
      <span title={meaning} aria-hidden="true">
        {name}
      </span>
      <span class="hidden-text" role="status">
        {useSeldom([name, news].filter((part) => part !== "").join(". "), ANNOUNCE_MS)}
      </span>
    </span>
  );
}

/** Returns a text that changes at most once in a time: the newest one at its end. */
function useSeldom(text: string, ms: number): string {
  const [shown, setShown] = useState(text);
  const changedAt = useRef(-Infinity);
  useEffect(() => {
    if (text === shown) return undefined;
    const timer = setTimeout(
      () => {
        changedAt.current = performance.now();
        setShown(text);
      },
      Math.max(0, changedAt.current + ms - performance.now()),
    );
    return () => clearTimeout(timer);
  }, [text, shown, ms]);
  return shown;
}
