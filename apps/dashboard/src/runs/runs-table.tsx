/**
 * The list of runs as a table.
 *
 * Owns: the cell of each column.
 */
import type { ListedRun } from "@holdfast/workflows/client";
import type { ComponentChildren, JSX } from "preact";
import { runPath } from "../router.ts";
import { Status } from "../ui/status.tsx";
import { Tags } from "../ui/tags.tsx";
import { Text, visible } from "../ui/text.tsx";
import { Ago, Took } from "../ui/times.tsx";
import { COLUMN_NAMES, type Column } from "./columns.ts";
import type { RunList } from "./run-list.ts";
import { whyText } from "./why-text.ts";

interface RunsTableProps {
  readonly list: RunList;
  readonly rows: readonly ListedRun[];
  readonly columns: readonly Column[];
}

const RIGHT: ReadonlySet<Column> = new Set(["duration", "created", "started", "ended", "updated"]);

export function RunsTable({ list, rows, columns }: RunsTableProps): JSX.Element {
  return (
    <div class="runs-scroll">
      <table class="runs">
        <thead>
          <tr>
            <th scope="col" class="cell-select">
              <span class="hidden-text">Selected</span>
            </th>
            {columns.map((column) => (
              <th scope="col" class={RIGHT.has(column) ? "right" : undefined} key={column}>
                {COLUMN_NAMES[column]}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((run) => (
            <Row run={run} list={list} columns={columns} key={run.id} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface RowProps {
  readonly run: ListedRun;
  readonly list: RunList;
  readonly columns: readonly Column[];
}

function Row({ run, list, columns }: RowProps): JSX.Element {
  const { id } = run;
  const hasLeft = list.left.value.has(id);
  const isSelected = list.selected.value.has(id);
  return (
    <tr class={hasLeft ? "has-left" : undefined} aria-selected={isSelected}>
      <td class="cell-select">
        <input
          type="checkbox"
          aria-label={`Select ${visible(id.slice(0, 80))}`}
          checked={isSelected}
          data-select
          onChange={(event) => list.select(id, event.currentTarget.checked)}
        />
      </td>
      {columns.map((column) =>
        column === "run" ? (
          <th scope="row" class="cell-run" key={column}>
            <a class="mono row-link" href={runPath(id)} data-row>
              <Text of={id} max={80} />
            </a>
            {hasLeft && <span class="muted"> no longer matches</span>}
          </th>
        ) : (
          <td class={`cell-${column}${RIGHT.has(column) ? " right num" : ""}`} key={column}>
            {CELLS[column](run)}
          </td>
        ),
      )}
    </tr>
  );
}

const ago = (at: number | undefined): ComponentChildren => (at === undefined ? null : <Ago at={at} />);

const CELLS: Readonly<Record<Exclude<Column, "run">, (run: ListedRun) => ComponentChildren>> = {
  status: ({ status }) => <Status status={status} />,
  workflow: ({ workflowId, workflowVersion }) => (
    <>
      <Text of={workflowId} max={80} />
      {workflowVersion !== null && <span class="muted"> v{visible(workflowVersion)}</span>}
    </>
  ),
  tags: ({ tags }) => (tags.length === 0 ? null : <Tags tags={tags} />),
  why: (run) => <WhyCell run={run} />,
  error: ({ error }) => error && <Text of={error.message} max={160} />,
  trigger: ({ triggeredBy }) => <Text of={triggeredBy} max={80} />,
  environment: ({ environment }) => <Text of={environment} max={80} />,
  parent: ({ parent }) =>
    parent && (
      <a class="mono" href={runPath(parent.runId)}>
        <Text of={parent.runId} max={40} />
      </a>
    ),
  duration: ({ startedAt, endedAt }) => startedAt !== undefined && <Took from={startedAt} to={endedAt} />,
  created: ({ createdAt }) => ago(createdAt),
  started: ({ startedAt }) => ago(startedAt),
  ended: ({ endedAt }) => ago(endedAt),
  updated: ({ updatedAt }) => ago(updatedAt),
};

function WhyCell({ run }: { readonly run: ListedRun }): JSX.Element | null {
  const { error, why } = run;
  const text = why === undefined ? "" : whyText(why.code);
  if (text === "") return error === undefined ? null : <Text of={error.message} max={160} />;
  return (
    <>
      {text}
      {why?.until !== undefined && (
        <span class="muted">
          {" · "}
          <Ago at={why.until} />
        </span>
      )}
    </>
  );
}
