/**
 * Chooses the columns of the list.
 */
import type { JSX } from "preact";
import { navigate, runsPath } from "../router.ts";
import { COLUMNS, COLUMN_NAMES, type Column, chooseColumns, shownColumns } from "./columns.ts";

interface ColumnChoiceProps {
  readonly query: string;
  /** Of the URL. */
  readonly columns: string | undefined;
}

export function ColumnChoice({ query, columns }: ColumnChoiceProps): JSX.Element {
  const shown = shownColumns(columns);
  const choose = (column: Column, isShown: boolean): void => {
    const text = chooseColumns(isShown ? [...shown, column] : shown.filter((one) => one !== column));
    navigate(runsPath(query, text), { replace: true });
  };
  return (
    <details class="columns">
      <summary>Columns</summary>
      <fieldset>
        <legend class="hidden-text">Columns of the list</legend>
        {COLUMNS.map((column) => (
          <label key={column}>
            <input
              type="checkbox"
              checked={shown.includes(column)}
              disabled={column === "run"}
              onChange={(event) => choose(column, event.currentTarget.checked)}
            />
            {COLUMN_NAMES[column]}
          </label>
        ))}
      </fieldset>
    </details>
  );
}
