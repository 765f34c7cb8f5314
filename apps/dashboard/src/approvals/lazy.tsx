/**
 * The parts of the approvals that other pages show. Their code is loaded when it is needed.
 */
import { useRef } from "preact/hooks";
import type { RunRecord } from "@holdfast/workflows/client";
import type { JSX } from "preact";
import { lazy } from "../ui/lazy.tsx";

export const ApprovalsPage = lazy(async () => (await import("./approvals-page.tsx")).ApprovalsPage);

const RunAsks = lazy(async () => (await import("./run-asks.tsx")).RunAsks);

/** The asks of a run that has some, or had some since the page shows it. */
export function AsksOfRun({ run }: { readonly run: RunRecord }): JSX.Element | null {
  const asked = useRef("");
  if (run.pendingWaitpoints.some(({ meta }) => meta["ask"] !== undefined)) asked.current = run.id;
  return asked.current === run.id ? <RunAsks run={run} /> : null;
}
