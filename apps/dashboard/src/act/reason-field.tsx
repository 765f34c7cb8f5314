/**
 * The field for the reason of an action.
 *
 * Owns: which actions take a reason. To terminate a run needs one.
 */
import type { RunActionName } from "@holdfast/workflows/client";
import type { JSX } from "preact";
import { TextField } from "./field.tsx";

interface ReasonFieldProps {
  readonly action: RunActionName;
  readonly reason: string;
  readonly problem?: string | undefined;
  readonly onReason: (reason: string) => void;
}

const TAKES_REASON: ReadonlySet<RunActionName> = new Set(["cancelRun", "pauseRun", "terminateRun"]);

export function ReasonField({ action, reason, problem, onReason }: ReasonFieldProps): JSX.Element | null {
  if (!TAKES_REASON.has(action)) return null;
  const isRequired = action === "terminateRun";
  return (
    <TextField
      label={isRequired ? "Reason" : "Reason (optional)"}
      problem={problem}
      isRequired={isRequired}
      value={reason}
      onText={onReason}
    />
  );
}
