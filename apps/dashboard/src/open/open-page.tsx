/**
 * Shows the runs of a file that was exported, without a server.
 *
 * Owns: the file. It stays in the page: nothing of it is sent, and nothing is in the URL.
 */
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { JSX } from "preact";
import { visible } from "../ui/text.tsx";
import { Status } from "../ui/status.tsx";
import { type ReadFile, readExported } from "./exported.ts";
import { FileRun } from "./file-run.tsx";

const BYTES_MAX = 512 * 1_024 * 1_024;

type Opened = ReadFile & { readonly name: string };

export function OpenPage(): JSX.Element {
  const [file, setFile] = useState<Opened>();
  const [chosen, setChosen] = useState(0);
  const newest = useRef<File>(undefined);
  useEffect(() => {
    document.title = "Open a file · Holdfast";
  }, []);
  const open = async (given: File | undefined): Promise<void> => {
    if (given === undefined) return;
    newest.current = given;
    const content = await read(given);
    // The reader may have opened another one, which was read sooner.
    if (newest.current !== given) return;
    setChosen(0);
    setFile({ name: given.name, ...content });
  };
  useDrop((given) => void open(given));
  const run = file?.runs[chosen];
  return (
    <main class="page open-page">
      <h1>Open an exported run</h1>
      <Picker onFile={(given) => void open(given)} />
      {file !== undefined && <Problems file={file} />}
      {file !== undefined && file.runs.length > 1 && <Runs file={file} chosen={chosen} onChoose={setChosen} />}
      {run !== undefined && <FileRun file={run} key={`${file?.name} ${chosen}`} />}
    </main>
  );
}

async function read(file: File): Promise<ReadFile> {
  if (file.size > BYTES_MAX)
    return {
      runs: [],
      problems: [{ line: 1, message: `The file has more than ${BYTES_MAX.toLocaleString("en")} bytes.` }],
    };
  try {
    return readExported(await file.text());
  } catch (error) {
    return { runs: [], problems: [{ line: 1, message: `The file cannot be read: ${String(error)}` }] };
  }
}

function Picker({ onFile }: { readonly onFile: (file: File | undefined) => void }): JSX.Element {
  return (
    <p class="open-picker">
      <label>
        A file that <code>holdfast export</code> or a run's page wrote{" "}
        <input
          type="file"
          accept=".json,.ndjson,.jsonl,application/json"
          onChange={(event) => onFile(event.currentTarget.files?.[0])}
        />
      </label>
      <span class="muted">or drop it on this page. Nothing of it is sent.</span>
    </p>
  );
}

function Problems({ file: { name, problems } }: { readonly file: Opened }): JSX.Element | null {
  if (problems.length === 0) return null;
  return (
    <div class="note is-bad" role="alert">
      <strong>{visible(name.slice(0, 100))}</strong>
      <ul>
        {problems.slice(0, 20).map(({ line, message }, index) => (
          <li key={index}>
            Line {line}: {visible(message)}
          </li>
        ))}
      </ul>
      {problems.length > 20 && <p>… and {problems.length - 20} more lines.</p>}
    </div>
  );
}

interface RunsProps {
  readonly file: Opened;
  readonly chosen: number;
  readonly onChoose: (index: number) => void;
}

function Runs({ file: { runs }, chosen, onChoose }: RunsProps): JSX.Element {
  return (
    <ul class="open-runs" aria-label="Runs of the file">
      {runs.slice(0, 1_000).map(({ run }, index) => (
        <li key={index}>
          <button type="button" aria-pressed={index === chosen} onClick={() => onChoose(index)} data-row>
            <Status status={run.status} /> <bdi class="mono">{visible(run.id.slice(0, 80))}</bdi>
          </button>
        </li>
      ))}
    </ul>
  );
}

/** A file that is dropped anywhere is opened. Without this the browser would leave the page. */
function useDrop(onFile: (file: File) => void): void {
  const handler = useRef(onFile);
  handler.current = onFile;
  useLayoutEffect(() => {
    const ended = new AbortController();
    const { signal } = ended;
    addEventListener("dragover", (event) => event.preventDefault(), { signal });
    addEventListener(
      "drop",
      (event) => {
        event.preventDefault();
        const file = event.dataTransfer?.files[0];
        if (file !== undefined) handler.current(file);
      },
      { signal },
    );
    return () => ended.abort();
  }, []);
}
