/**
 * A row of the timeline in the DOM: its name, its state, and the button that opens a child.
 *
 * Owns: the element that a screen reader reads. The bars are in the drawing above it.
 */
import type { JSX } from "preact";
import { visible } from "../ui/text.tsx";
import { StateIcon } from "./icons.tsx";
import { describeRow, nameOf } from "./row-text.ts";
import type { Item, TimelineState } from "./state.ts";

interface RowItemProps {
  readonly item: Item;
  readonly index: number;
  readonly count: number;
  readonly state: TimelineState;
  readonly isSelected: boolean;
  readonly canFold: boolean;
  readonly onSelect: (key: string) => void;
  readonly onFold: (item: Item, open: boolean) => void;
}

export function RowItem({
  item,
  index,
  count,
  state,
  isSelected,
  canFold,
  onSelect,
  onFold,
}: RowItemProps): JSX.Element {
  const { row, key, depth } = item;
  const { childRunId } = row;
  const isFoldable = canFold && childRunId !== undefined;
  const isOpen = childRunId !== undefined && state.folds.value.has(childRunId);
  return (
    <div
      id={`tl-row-${index}`}
      class="tl-row"
      role="treeitem"
      aria-label={visible(describeRow(row))}
      aria-level={depth + 1}
      aria-posinset={index + 1}
      aria-setsize={count}
      aria-selected={isSelected}
      aria-expanded={isFoldable ? isOpen : undefined}
      data-active={state.active.value === index ? "" : undefined}
      data-state={row.state}
      onClick={() => {
        state.active.value = index;
        onSelect(key);
      }}
      onMouseEnter={() => (state.hovered.value = index)}
      onMouseMove={({ altKey }) => state.comparing.value !== altKey && (state.comparing.value = altKey)}
    >
      <Name item={item} fold={isFoldable ? <Fold item={item} isOpen={isOpen} onFold={onFold} /> : null} />
    </div>
  );
}

function Name({ item, fold }: { readonly item: Item; readonly fold: JSX.Element | null }): JSX.Element {
  const { row, depth } = item;
  const { prefix, name } = nameOf(row);
  return (
    <span class="tl-name" style={{ paddingLeft: `${8 + depth * 14}px` }}>
      <StateIcon state={row.state} />
      {fold}
      {prefix === "" ? null : <span class="tl-kind" data-text={prefix} />}
      <bdi title={visible(name)}>{visible(name)}</bdi>
    </span>
  );
}

/** The pointer's way to open a child. With the keyboard it is the arrow keys of the tree. */
function Fold({
  item,
  isOpen,
  onFold,
}: {
  readonly item: Item;
  readonly isOpen: boolean;
  readonly onFold: RowItemProps["onFold"];
}): JSX.Element {
  return (
    <span
      class="tl-fold"
      aria-hidden="true"
      onClick={(event) => {
        event.stopPropagation();
        onFold(item, !isOpen);
      }}
    >
      <svg viewBox="0 0 16 16" width="12" height="12">
        <path d={isOpen ? "M3.5 5.5 8 10l4.5-4.5" : "M6 3.5 10.5 8 6 12.5"} />
      </svg>
    </span>
  );
}
