/**
 * What became of a tick, and why.
 */
import type { ListedSchedule, ScheduleTick } from "@holdfast/workflows/client";
import type { JSX } from "preact";
import { RunLink, State } from "../flow/parts.tsx";
import { visible } from "../ui/text.tsx";
import { secondText } from "../ui/time-format.ts";
import { OUTCOME_LIKE, outcomeReason } from "./schedule-text.ts";

interface OutcomeProps {
  readonly of: NonNullable<ListedSchedule["last"]> | ScheduleTick;
}

export function Outcome({ of }: OutcomeProps): JSX.Element {
  const { outcome } = of;
  return <State like={OUTCOME_LIKE[outcome]}>{outcome}</State>;
}

/** Why, with the run because of which it is so, and the other ticks of the decision. */
export function Why({ of }: OutcomeProps): JSX.Element {
  const { byRunId, until } = of;
  return (
    <>
      {visible(outcomeReason(of).slice(0, 400))}
      {byRunId !== undefined && (
        <>
          {" "}
          <RunLink id={byRunId} />
        </>
      )}
      {until !== undefined && <span class="muted"> This is so for all ticks until {secondText(until)}.</span>}
    </>
  );
}
