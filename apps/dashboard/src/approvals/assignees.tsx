/**
 * The filter by assignee. An assignee is a filter and no permission: everybody with the scope `deliver` may answer.
 *
 * Owns: the assignees to choose from. The one that is selected is in the URL.
 */
import { type Signal, signal } from "@preact/signals";
import { useState } from "preact/hooks";
import type { ComponentChildren, JSX } from "preact";
import { approvalsPath, navigate } from "../router.ts";
import { session } from "../session.ts";
import { Text, visible } from "../ui/text.tsx";
import type { AskState } from "./ask-state.ts";
import { mine, setMine } from "./mine.ts";

const CHIPS = 8;

/** The assignees that this session has seen: a filtered list has only one. */
class Seen {
  readonly names: Signal<readonly string[]> = signal([]);

  add(rows: readonly AskState[]): void {
    const known = new Set(this.names.peek());
    const found = rows.flatMap(({ ask }) => ask.value.assignees).filter((name) => !known.has(name));
    if (found.length > 0) this.names.value = [...known, ...new Set(found)].toSorted();
  }

  clear(): void {
    this.names.value = [];
  }
}

export const seenAssignees = new Seen();
session.subscribe(() => seenAssignees.clear());

export function Assignees({ selected }: { readonly selected: string | undefined }): JSX.Element {
  const names = seenAssignees.names.value.filter((name) => name !== mine.value);
  const shown = new Set(names.slice(0, CHIPS));
  if (selected !== undefined && selected !== mine.value) shown.add(selected);
  return (
    <div class="assignees">
      <nav class="chips" aria-label="Assignee">
        <Chip selected={selected} name={undefined}>
          All
        </Chip>
        {mine.value !== undefined && (
          <Chip selected={selected} name={mine.value}>
            Mine: <Text of={mine.value} max={80} />
          </Chip>
        )}
        {[...shown].map((name) => (
          <Chip selected={selected} name={name} key={name}>
            <Text of={name} max={80} />
          </Chip>
        ))}
      </nav>
      {names.length > CHIPS && <AssigneeSearch names={names} />}
      {selected !== undefined && <Remember selected={selected} />}
    </div>
  );
}

interface ChipProps {
  readonly selected: string | undefined;
  readonly name: string | undefined;
  readonly children: ComponentChildren;
}

function Chip({ selected, name, children }: ChipProps): JSX.Element {
  return (
    <a class="chip" href={approvalsPath({ assignee: name })} aria-current={selected === name ? "true" : undefined}>
      {children}
    </a>
  );
}

/** For more assignees than chips. */
function AssigneeSearch({ names }: { readonly names: readonly string[] }): JSX.Element {
  const [text, setText] = useState("");
  const submit = (event: Event): void => {
    event.preventDefault();
    if (text.trim() !== "") navigate(approvalsPath({ assignee: text.trim() }));
  };
  return (
    <form class="assignee-search" role="search" onSubmit={submit}>
      <input
        id="search"
        list="assignees"
        aria-label="Other assignee"
        placeholder="Other assignee"
        autocomplete="off"
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <datalist id="assignees">
        {names.map((name) => (
          <option value={name} key={name} />
        ))}
      </datalist>
    </form>
  );
}

function Remember({ selected }: { readonly selected: string }): JSX.Element {
  const isMine = mine.value === selected;
  return (
    <button type="button" class="quiet" onClick={() => setMine(isMine ? undefined : selected)}>
      {isMine ? "This is not me" : `I am ${visible(selected.slice(0, 80))}`}
    </button>
  );
}
