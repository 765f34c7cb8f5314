/**
 * A run of a file, with the tabs of a run's page that need no server.
 *
 * Owns: the tab and the operation that are chosen: the URL cannot name what is in a file.
 */
import { useState } from "preact/hooks";
import type { JSX } from "preact";
import { Journal } from "../journal/journal.tsx";
import { AuditTable } from "../run/audit.tsx";
import { DataTab } from "../run/data.tsx";
import { RunHeader } from "../run/header.tsx";
import { RawTab } from "../run/raw.tsx";
import { Timeline } from "../timeline/timeline.tsx";
import { Boundary } from "../ui/boundary.tsx";
import { saveFile } from "../ui/save.ts";
import { absoluteText } from "../ui/time-format.ts";
import { type ExportedRun, writeExported } from "./exported.ts";

const TABS = ["timeline", "journal", "data", "audit", "raw"] as const;

export function FileRun({ file }: { readonly file: ExportedRun }): JSX.Element {
  const [tab, setTab] = useState<(typeof TABS)[number]>("timeline");
  const [op, setOp] = useState<string>();
  const isTime = Number.isFinite(file.exportedAt);
  return (
    <>
      <p class="note">
        This is a file{isTime && `, written ${absoluteText(file.exportedAt)}`}. The run may be in another state now.
      </p>
      <Boundary>
        <RunHeader run={file.run} isFile />
      </Boundary>
      <nav class="tabs" aria-label="Views of the run">
        {TABS.map((one) => (
          <button
            type="button"
            aria-current={one === tab ? "page" : undefined}
            data-tab
            key={one}
            onClick={() => setTab(one)}
          >
            {one[0]?.toUpperCase() + one.slice(1)}
          </button>
        ))}
      </nav>
      <section class="tab-body" aria-label={tab}>
        <Boundary key={tab}>
          <Body file={file} tab={tab} op={op} onSelect={setOp} />
        </Boundary>
      </section>
    </>
  );
}

interface BodyProps {
  readonly file: ExportedRun;
  readonly tab: (typeof TABS)[number];
  readonly op: string | undefined;
  readonly onSelect: (op: string) => void;
}

function Body({ file, tab, op, onSelect }: BodyProps): JSX.Element {
  const { run, journal, audit, exportedAt } = file;
  if (tab === "timeline")
    return <Timeline run={run} entries={journal} now={() => exportedAt} selected={op} onSelect={onSelect} />;
  if (tab === "journal") return <Journal entries={journal} onSelect={onSelect} />;
  if (tab === "data") return <DataTab run={run} />;
  if (tab === "audit")
    return audit === undefined ? <p class="muted">The file has no audit.</p> : <AuditTable entries={audit} />;
  const save = async (): Promise<void> =>
    saveFile(new Blob([writeExported({ exportedAt, run, journal, audit })]), run.id, "json");
  return <RawTab run={run} onExport={save} />;
}
