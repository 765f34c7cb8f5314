/**
 * What the fields of a form get, and what they report: each change of what the reader typed.
 */
import type { RunActionName } from "@holdfast/workflows/client";
import type { ActData } from "./act-data.ts";
import type { Fields, Prepared } from "./forms.ts";

export interface FieldsProps {
  readonly action: RunActionName;
  readonly data: ActData;
  readonly fields: Fields;
  readonly problems: Prepared["problems"];
  readonly onChange: (more: Partial<Fields>) => void;
}
