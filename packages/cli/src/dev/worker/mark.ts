/**
 * The mark in front of a line of the console: the id of the run whose code wrote it.
 *
 * Owns: its format, for the Worker that writes it and for the process that reads it. It has no character that a format of
 * the console gives a meaning.
 */
const EDGE = "\u0001";

export function markOf(runId: string): string {
  return `${EDGE}${encodeURIComponent(runId).replaceAll("%", "=")}${EDGE}`;
}

/** Returns the run and the rest of a line. Without a mark there is no run. */
export function readMark(text: string): { readonly run?: string; readonly text: string } {
  const [before, run, ...rest] = text.split(EDGE);
  if (before !== "" || run === undefined || rest.length === 0) return { text };
  // The console writes a blank after the mark of a value that is no text.
  return { run: decodeURIComponent(run.replaceAll("=", "%")), text: rest.join(EDGE).replace(/^ /, "") };
}
