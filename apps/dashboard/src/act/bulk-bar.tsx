/**
 * What can be done with the runs that are selected in the list.
 *
 * Owns: the selection of all that match: their ids are read first, so what is shown is exactly what is acted on.
 */
import type { RunFilter } from "@holdfast/workflows/client";
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { type Failure, FailureNote, failureOf } from "../failure.tsx";
import { api } from "../session.ts";
import { lazy } from "../ui/lazy.tsx";
import { ACTION_TEXTS } from "./actions.ts";
import type { BulkAction } from "./bulk.ts";

const BulkDialog = lazy(async () => (await import("./bulk-dialog.tsx")).BulkDialog);

const ACTIONS: readonly BulkAction[] = ["cancelRun", "retryRun", "pauseRun", "unpauseRun", "terminateRun", "deleteRun"];
/** The page of the API for ids. */
const PAGE = 200;

interface BulkBarProps {
  readonly filter: RunFilter;
  readonly selected: ReadonlySet<string>;
  /** How many runs match; `undefined`: it is not known before their ids are read. */
  readonly count: number | undefined;
  readonly onSelect: (ids: Iterable<string>) => void;
}

export function BulkBar({ filter, selected, count, onSelect }: BulkBarProps): JSX.Element {
  const [action, setAction] = useState<BulkAction>();
  const [failure, setFailure] = useState<Failure>();
  return (
    <>
      {ACTIONS.map((one) => (
        <button
          type="button"
          class={ACTION_TEXTS[one].isDestructive ? "is-destructive" : undefined}
          aria-haspopup="dialog"
          onClick={() => setAction(one)}
          key={one}
        >
          {ACTION_TEXTS[one].name}
        </button>
      ))}
      <AllThatMatch filter={filter} count={count} onSelect={onSelect} onFailure={setFailure} />
      {failure !== undefined && <FailureNote failure={failure} />}
      {action !== undefined && (
        <BulkDialog
          action={action}
          ids={[...selected]}
          onClose={(left) => {
            setAction(undefined);
            onSelect(left);
          }}
        />
      )}
    </>
  );
}

interface AllThatMatchProps {
  readonly filter: RunFilter;
  readonly count: number | undefined;
  readonly onSelect: (ids: Iterable<string>) => void;
  readonly onFailure: (failure: Failure | undefined) => void;
}

function AllThatMatch({ filter, count, onSelect, onFailure }: AllThatMatchProps): JSX.Element {
  const [found, setFound] = useState<number>();
  const ended = useRef<AbortController | undefined>(undefined);
  useEffect(() => () => ended.current?.abort(), [filter]);
  const read = async (): Promise<void> => {
    const controller = new AbortController();
    ended.current = controller;
    onFailure(undefined);
    setFound(0);
    try {
      const ids: string[] = [];
      for await (const { id } of api().all({ ...filter, limit: PAGE, signal: controller.signal })) {
        ids.push(id);
        if (ids.length % PAGE === 0) setFound(ids.length);
      }
      onSelect(ids);
    } catch (error) {
      if (!controller.signal.aborted) onFailure(failureOf(error));
    }
    setFound(undefined);
  };
  if (found === undefined)
    return (
      <button type="button" onClick={() => void read()}>
        Select all{count === undefined ? "" : ` ${count.toLocaleString("en")}`} that match
      </button>
    );
  return (
    <>
      <span role="status">{found.toLocaleString("en")} match so far</span>
      <button type="button" onClick={() => ended.current?.abort()}>
        Stop
      </button>
    </>
  );
}
