/**
 * The dialog of the actions on a run: the list of all, and the form of one.
 *
 * Owns: which of the two is shown, and the focus. An action that the server would refuse is shown with the reason, and cannot
 * be sent; none is hidden.
 */
import type { RunActionName } from "@holdfast/workflows/client";
import type { JSX, RefObject } from "preact";
import { useEffect, useLayoutEffect, useMemo, useState } from "preact/hooks";
import { FailureNote } from "../failure.tsx";
import { startPath } from "../router.ts";
import { session } from "../session.ts";
import { focusFirstField, useModal } from "../ui/modal.ts";
import { Status } from "../ui/status.tsx";
import { Text, visible } from "../ui/text.tsx";
import { ActData } from "./act-data.ts";
import { ActForm } from "./act-form.tsx";
import { ACTION_TEXTS } from "./actions.ts";
import type { Opened } from "./opened.ts";

interface ActDialogProps {
  readonly opened: Opened;
  readonly onClose: () => void;
}

/** In the order in which they are offered. */
const ACTIONS = Object.keys(ACTION_TEXTS) as RunActionName[];

export function ActDialog({ opened, onClose }: ActDialogProps): JSX.Element {
  const { runId } = opened;
  const dialog = useModal();
  const [action, setAction] = useState(opened.action);
  const data = useActData(runId);
  useFocus(dialog, action);
  const record = data.record.value;
  const failure = data.failure.value;
  return (
    <dialog ref={dialog} class="act" aria-labelledby="act-title" onClose={onClose}>
      <header class="act-top">
        <h2 id="act-title" tabIndex={-1}>
          {action === undefined ? "Actions" : ACTION_TEXTS[action].name}
        </h2>
        {record !== undefined && <Status status={record.status} />}
        <span class="mono act-run">
          <Text of={runId} max={80} />
        </span>
        <button type="button" class="quiet" aria-label="Close" onClick={() => dialog.current?.close()}>
          ✕
        </button>
      </header>
      {failure !== undefined && <FailureNote failure={failure} />}
      {action === undefined ? (
        <ActionList data={data} onChoose={setAction} onLeave={() => dialog.current?.close()} />
      ) : (
        <ActForm
          data={data}
          action={action}
          given={opened.given}
          onBack={() => setAction(undefined)}
          onLeave={() => dialog.current?.close()}
          key={action}
        />
      )}
    </dialog>
  );
}

function useActData(runId: string): ActData {
  const data = useMemo(() => new ActData(runId), [runId]);
  useEffect(() => {
    data.load();
    return () => data.end();
  }, [data, session.value]);
  return data;
}

/** The first field of a form, or the title of the list, has the focus. */
function useFocus(dialog: RefObject<HTMLDialogElement | null>, action: RunActionName | undefined): void {
  useLayoutEffect(() => {
    if (dialog.current !== null) focusFirstField(dialog.current);
  }, [action]);
}

interface ActionListProps {
  readonly data: ActData;
  readonly onChoose: (action: RunActionName) => void;
  readonly onLeave: () => void;
}

function ActionList({ data, onChoose, onLeave }: ActionListProps): JSX.Element {
  const isKnown = data.record.value?.actions !== undefined;
  return (
    <ul class="act-list" aria-busy={!isKnown}>
      {ACTIONS.map((action) => {
        const { name, does, isDestructive } = ACTION_TEXTS[action];
        const refused = data.refusalOf(action);
        return (
          <li key={action}>
            <button
              type="button"
              class={isDestructive ? "is-destructive" : undefined}
              aria-disabled={refused !== undefined}
              aria-describedby={`act-${action}`}
              onClick={() => refused === undefined && onChoose(action)}
            >
              {name}
            </button>
            <span id={`act-${action}`} class="muted">
              {refused === undefined ? does : visible(refused.message)}
            </span>
          </li>
        );
      })}
      <li>
        <a class="button" href={startPath({ like: data.runId })} onClick={onLeave}>
          Start like this one
        </a>
        <span class="muted">Opens the form of a new run with this one's workflow, input and tags.</span>
      </li>
    </ul>
  );
}
