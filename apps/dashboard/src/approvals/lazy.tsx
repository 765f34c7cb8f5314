/**
 * The parts of the approvals that other pages show. Their code is loaded when it is needed.
 */
import { useRef } from "preact/hooks";
import type { RunRecord, WhyEntry } from "@holdfast/workflows/client";
import type { JSX } from "preact";
import { lazy } from "../ui/lazy.tsx";

export const ApprovalsPage = lazy(async () => (await import("./approvals-page.tsx")).ApprovalsPage);

const RunAsks = lazy(async () => (await import("./run-asks.tsx")).RunAsks);

/** The asks of a run that has some, or had some since the page shows it. */
export function AsksOfRun({ run }: { readonly run: RunRecord }): JSX.Element | null {
  const shownFor = useRef("");
  if (run.pendingWaitpoints.some(({ meta }) => meta["ask"] !== undefined)) shownFor.current = run.id;
  return shownFor.current === run.id ? <RunAsks run={run} /> : null;
}

/** Leads to the form of the ask for which a run waits. Returns whether the page shows it. */
export function showAsk(wait: WhyEntry["for"]): boolean {
  if (wait === undefined) return false;
  const op = CSS.escape(`${wait.kind}/${wait.occurrence}/${wait.name}`);
  const card = document.querySelector<HTMLElement>(`[data-ask="${op}"]`);
  card?.scrollIntoView({ block: "start" });
  card?.querySelector<HTMLElement>("h2")?.focus({ preventScroll: true });
  return card !== null;
}
