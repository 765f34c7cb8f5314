/**
 * What is inside an open ask: its details, the ways to answer, and what became of it.
 */
import { useEffect, useRef } from "preact/hooks";
import type { JSX } from "preact";
import { now } from "../clock.ts";
import { FailureNote } from "../failure.tsx";
import { Markdown } from "../ui/markdown.tsx";
import { visible } from "../ui/text.tsx";
import { AnswerForm } from "./answer-form.tsx";
import type { AskState } from "./ask-state.ts";
import { EXPIRED } from "./why-closed.ts";

export function AskBody({ state }: { readonly state: AskState }): JSX.Element {
  const { details, until, truncated } = state.ask.value;
  useEffect(() => void state.load(), [state]);
  const isPast = until !== undefined && until <= now.value;
  useEffect(() => {
    if (isPast) state.close(EXPIRED);
  }, [isPast, state]);
  const body = useRef<HTMLDivElement>(null);
  useEffect(() => (state.isOpen ? undefined : keepFocus(body.current)), [state.isOpen]);
  return (
    <div class="ask-body" ref={body}>
      {details !== undefined && <Markdown text={details} />}
      {truncated === true && state.isOpen && <Loading state={state} />}
      {state.isOpen && truncated !== true && <AnswerForm state={state} />}
      <div role="status">
        <Outcome state={state} />
      </div>
    </div>
  );
}

/** The list has only a part of the ask. */
function Loading({ state }: { readonly state: AskState }): JSX.Element {
  const failure = state.failure.value;
  if (failure === undefined) return <p class="muted">Loading the whole ask…</p>;
  return (
    <>
      <FailureNote failure={failure} />
      <button type="button" onClick={() => void state.load()}>
        Try again
      </button>
    </>
  );
}

/** The form that had the focus is gone: the reader continues at the title of the ask. */
function keepFocus(body: HTMLElement | null): void {
  if (document.activeElement === document.body || body?.contains(document.activeElement) === true)
    body?.closest(".ask")?.querySelector<HTMLElement>("[data-row], h2[tabindex]")?.focus();
}

/** What became of an ask that is not open any longer. */
export function Outcome({ state }: { readonly state: AskState }): JSX.Element | null {
  const phase = state.phase.value;
  if (phase.kind !== "answered" && phase.kind !== "closed") return null;
  return (
    <p class={`outcome is-${phase.kind}`}>
      <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
        {phase.kind === "answered" ? (
          <path d="M2.8 8.6 6.4 12l6.8-7.6" stroke-width="2" />
        ) : (
          <path d="M8 2.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11M5 8h6" />
        )}
      </svg>
      {visible(phase.text)}
    </p>
  );
}
