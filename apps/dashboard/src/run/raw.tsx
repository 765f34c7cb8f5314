/**
 * The record as the API sent it, and the file to keep.
 *
 * Owns: the button that exports the run.
 */
import { useState } from "preact/hooks";
import type { RunRecord } from "@holdfast/workflows/client";
import type { JSX } from "preact";
import { type Failure, FailureNote, failureOf } from "../failure.tsx";
import { visible } from "../ui/text.tsx";

const CHARS = 64 * 1_024;

interface RawProps {
  readonly run: RunRecord;
  /** Saves record, journal and audit as a file. */
  readonly onExport: () => Promise<void>;
}

export function RawTab({ run, onExport }: RawProps): JSX.Element {
  const [all, setAll] = useState(false);
  const text = JSON.stringify(run, null, 2);
  return (
    <div class="raw">
      <ExportBar onExport={onExport} />
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

function ExportBar({ onExport }: Pick<RawProps, "onExport">): JSX.Element {
  const [isBusy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const start = async (): Promise<void> => {
    setBusy(true);
    setFailure(await onExport().then(() => undefined, failureOf));
    setBusy(false);
  };
  return (
    <>
      {failure && <FailureNote failure={failure} />}
      <p class="more">
        <button type="button" disabled={isBusy} onClick={() => void start()}>
          {isBusy ? "Reading the journal…" : "Download record and journal"}
        </button>
        <span class="muted">The file is that of holdfast export. It opens here without a server.</span>
      </p>
    </>
  );
}
