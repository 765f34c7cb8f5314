/**
 * Saves the runs of the filter as a file.
 *
 * Owns: its progress. The reader may stop it, and then save what is there.
 */
import { useEffect, useRef, useState } from "preact/hooks";
import type { RunFilter } from "@holdfast/workflows/client";
import type { JSX } from "preact";
import { api } from "../session.ts";
import { saveFile } from "../ui/save.ts";
import { type ExportFormat, type ExportResult, exportRuns } from "./export.ts";

const PAGE = 200;

export function ExportButtons({ filter }: { readonly filter: RunFilter }): JSX.Element {
  const [count, setCount] = useState<number>();
  const [left, setLeft] = useState<ExportResult & { readonly format: ExportFormat }>();
  const ended = useRef<AbortController>(undefined);
  useEffect(() => () => ended.current?.abort(), []);
  const start = async (format: ExportFormat): Promise<void> => {
    const controller = new AbortController();
    ended.current = controller;
    setLeft(undefined);
    setCount(0);
    const { signal } = controller;
    const result = await exportRuns(api().all({ ...filter, limit: PAGE, signal }), format, {
      signal,
      onCount: setCount,
    });
    setCount(undefined);
    if (result.state === "done") saveFile(result.file, "runs", format);
    else setLeft({ ...result, format });
  };
  if (count !== undefined)
    return (
      <span class="export">
        <span role="status">{count.toLocaleString("en")} runs read…</span>
        <button type="button" onClick={() => ended.current?.abort()}>
          Stop
        </button>
      </span>
    );
  return (
    <span class="export">
      {left !== undefined && <Left result={left} onDone={() => setLeft(undefined)} />}
      <button type="button" class="quiet" onClick={() => void start("ndjson")}>
        Export NDJSON
      </button>
      <button type="button" class="quiet" onClick={() => void start("csv")}>
        Export CSV
      </button>
    </span>
  );
}

interface LeftProps {
  readonly result: ExportResult & { readonly format: ExportFormat };
  readonly onDone: () => void;
}

function Left({ result: { state, count, file, format, error }, onDone }: LeftProps): JSX.Element {
  const why = state === "stopped" ? "Stopped" : `Failed: ${error instanceof Error ? error.message : String(error)}`;
  return (
    <span role="status">
      {why.slice(0, 200)} after {count.toLocaleString("en")} runs.{" "}
      {count > 0 && (
        <button
          type="button"
          onClick={() => {
            saveFile(file, "runs-incomplete", format);
            onDone();
          }}
        >
          Save these
        </button>
      )}
    </span>
  );
}
