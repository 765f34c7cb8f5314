/**
 * The status of a run, by its shape, its colour and its name.
 *
 * Owns: one icon for each status. Every shape differs without colour.
 */
import type { RunStatus } from "@holdfast/workflows/client";
import type { JSX } from "preact";

/** Paths in a square of 16. */
const SHAPES: Readonly<Record<RunStatus, JSX.Element>> = {
  pending: <circle cx="8" cy="8" r="5.5" stroke-dasharray="2 2.3" />,
  running: <path d="M8 2.5a5.5 5.5 0 1 1-5.5 5.5M6.6 5.6v4.8l3.8-2.4z" />,
  waiting: (
    <path d="M4.5 2.5h7M4.5 13.5h7M5.3 2.8c0 3.2 5.4 3.2 5.4 5.2s-5.4 2-5.4 5.2M10.7 2.8c0 3.2-5.4 3.2-5.4 5.2s5.4 2 5.4 5.2" />
  ),
  paused: <path d="M5.5 3.5v9M10.5 3.5v9" stroke-width="2.4" />,
  completed: <path d="M2.8 8.6 6.4 12l6.8-7.6" stroke-width="2" />,
  failed: <path d="M4 4l8 8M12 4l-8 8" stroke-width="2" />,
  cancelled: <path d="M8 2.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11M4.2 11.8l7.6-7.6" />,
  compensated: <path d="M5.8 3 3 5.8l2.8 2.8M3.2 5.8h6.3a3.6 3.6 0 0 1 0 7.2H6" />,
  compensation_failed: <path d="M8 2.4 14.2 13H1.8zM8 6.4v3M8 11.2v.2" />,
};

export function StatusIcon({ status }: { readonly status: RunStatus }): JSX.Element {
  return (
    <svg class={`status-icon is-${status}`} viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
      {SHAPES[status]}
    </svg>
  );
}

export function Status({ status }: { readonly status: RunStatus }): JSX.Element {
  return (
    <span class={`status is-${status}`}>
      <StatusIcon status={status} />
      {statusText(status)}
    </span>
  );
}

export function statusText(status: RunStatus): string {
  return status.replace("_", " ");
}
