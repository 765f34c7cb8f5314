/**
 * The open asks of one run, below the reasons on its page.
 *
 * Owns: one state for each ask, which lives as long as the page: a draft stays while the run is read again.
 */
import { useEffect, useMemo } from "preact/hooks";
import type { RunRecord } from "@holdfast/workflows/client";
import type { JSX } from "preact";
import { Text } from "../ui/text.tsx";
import { type OpenAsk, asksOf } from "./approval.ts";
import { AskBody } from "./ask-body.tsx";
import { Deadline } from "./ask-row.tsx";
import type { AskState } from "./ask-state.ts";
import { askStateOf } from "./ask-states.ts";
import { RiskMark } from "./risk.tsx";
import { whyGone } from "./why-closed.ts";

export function RunAsks({ run }: { readonly run: RunRecord }): JSX.Element | null {
  const states = useMemo(() => new Map<string, AskState>(), [run.id]);
  const asks = asksOf(run);
  useEffect(() => closeOthers(states, asks), [run]);
  if (asks.length === 0 && states.size === 0) return null;
  return (
    <section class="run-asks" aria-label="Asks">
      {remembered(states, asks).map((state) => (
        <AskCard state={state} key={state.ask.value.op} />
      ))}
    </section>
  );
}

/** Asks that are no longer in the record stay, with what became of them. */
function remembered(states: Map<string, AskState>, asks: readonly OpenAsk[]): readonly AskState[] {
  for (const ask of asks) if (!states.has(ask.op)) states.set(ask.op, askStateOf(ask));
  return [...states.values()];
}

/** Says why asks that the record no longer has are closed. Returns the function that ends it. */
function closeOthers(states: Map<string, AskState>, asks: readonly OpenAsk[]): () => void {
  const ended = new AbortController();
  const open = new Set(asks.map(({ op }) => op));
  for (const state of states.values())
    if (state.phase.value.kind === "open" && !open.has(state.ask.value.op))
      void whyGone(state.ask.value, ended.signal).then(
        (text) => text !== undefined && !ended.signal.aborted && state.close(text),
      );
  return () => ended.abort();
}

function AskCard({ state }: { readonly state: AskState }): JSX.Element {
  const { op, title, risk, until } = state.ask.value;
  return (
    <article class="ask is-open ask-card" data-ask={op}>
      <div class="ask-head">
        <h2 tabIndex={-1}>
          <Text of={title} />
        </h2>
        {state.isOpen && <Deadline until={until} />}
      </div>
      {risk !== undefined && (
        <p class="ask-meta">
          <RiskMark risk={risk} />
        </p>
      )}
      <AskBody state={state} />
    </article>
  );
}
