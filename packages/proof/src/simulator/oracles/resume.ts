/**
 * Oracle on a resumed run: each part of the program gets its own results, whichever part uses the same name (RES3).
 */

/** What parts of a program received: `step4=7 at …`, the label of the part and its value as JSON. */
const SEEN = /^((?:step|wait|token|child)\d+)=(.*) at \d+ with /;

/**
 * A step returns its own number. A wait received the same in the parent, because nothing is delivered to a resumed run.
 * @param seen What the function of the resumed run received.
 * @param seenBefore What the functions of the runs received from which it was resumed.
 */
export function checkTakenOver(seen: readonly string[], seenBefore: readonly string[]): string[] {
  const before = new Set(seenBefore.flatMap((text) => SEEN.exec(text)?.slice(1).join("=") ?? []));
  // A function that was paused or aborted has not received the last outcomes of its journal.
  const received = new Set(seenBefore.flatMap((text) => SEEN.exec(text)?.[2] ?? []));
  return seen.flatMap((text) => {
    const [, label = "", value] = SEEN.exec(text) ?? [];
    const right = label.startsWith("step")
      ? `step${value}` === label
      : value === "null" || !label.startsWith("wait") || before.has(`${label}=${value}`) || !received.has(value ?? "");
    return right || value === undefined ? [] : [`${label} received ${value}, which is the result of another part`];
  });
}
