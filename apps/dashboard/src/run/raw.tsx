/**
 * The record and the journal as the API sent them.
 *
 * Owns: the file to keep. It has what `holdfast export` writes of a run.
 */
import { useState } from "preact/hooks";
import type { JournalEntry, RunRecord } from "@holdfast/workflows/client";
import type { JSX } from "preact";
import { visible } from "../ui/text.tsx";

const CHARS = 64 * 1_024;

interface RawProps {
  readonly run: RunRecord;
  readonly entries: readonly JournalEntry[];
  readonly isLoading: boolean;
}

export function RawTab({ run, entries, isLoading }: RawProps): JSX.Element {
  const [all, setAll] = useState(false);
  const text = JSON.stringify(run, null, 2);
  return (
    <div class="raw">
      <p class="bar">
        <button type="button" disabled={isLoading} onClick={() => save(run, entries)}>
          Download record and journal
        </button>
        <span class="muted">{isLoading ? "The journal is loading." : `${entries.length} entries`}</span>
      </p>
      <pre tabIndex={0} aria-label="The record">
        {visible(all ? text : text.slice(0, CHARS))}
      </pre>
      {!all && text.length > CHARS && (
        <button type="button" onClick={() => setAll(true)}>
          Load all {text.length.toLocaleString("en")} characters
        </button>
      )}
    </div>
  );
}

function save(run: RunRecord, journal: readonly JournalEntry[]): void {
  const url = URL.createObjectURL(new Blob([JSON.stringify({ run, journal })], { type: "application/json" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = `${run.id.replaceAll(/[^\w.-]+/g, "_").slice(0, 100)}.json`;
  link.click();
  URL.revokeObjectURL(url);
}
