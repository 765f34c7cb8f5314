/**
 * The page of all open asks: the earliest deadline first, each with the form that answers it.
 *
 * Owns: which ask is open, which is in the URL without the id of its token, and the keys of the page. Esc leaves a field, and
 * then closes the ask. No key answers.
 */
import { useEffect, useMemo } from "preact/hooks";
import type { JSX } from "preact";
import { now } from "../clock.ts";
import { FailureNote } from "../failure.tsx";
import { approvalsPath, navigate, runPath } from "../router.ts";
import { session, signedOut } from "../session.ts";
import { ApprovalList } from "./approval-list.ts";
import { type OpenAsk, keyOf } from "./approval.ts";
import { AskRow } from "./ask-row.tsx";
import { Assignees, seenAssignees } from "./assignees.tsx";
import { reportCount } from "./nav-count.tsx";
import { asksFor } from "./read-asks.ts";
import { NoAsks, NoIndex, NoMatch } from "./no-asks.tsx";

export interface ApprovalsPageProps {
  readonly assignee: string | undefined;
  /** The ask that is open on the page. */
  readonly runId: string | undefined;
  readonly op: string | undefined;
}

export function ApprovalsPage({ assignee, runId, op }: ApprovalsPageProps): JSX.Element {
  const list = useMemo(() => new ApprovalList(asksFor(assignee)), [assignee]);
  useEffect(() => list.watch(), [list, session.value]);
  useEffect(() => {
    document.title = "Approvals · Holdfast";
  }, []);
  useEffect(() => list.expire(), [list, now.value]);
  const isThis = (ask: OpenAsk): boolean => ask.runId === runId && (op === undefined || ask.op === op);
  const open = runId === undefined ? undefined : list.find(isThis);
  useEffect(() => list.hold(open && keyOf(open.ask.value)), [list, open]);
  useEffect(() => {
    if (list.rows.value !== undefined) reportCount(assignee, list.count.value);
  }, [list.count.value, list.rows.value, assignee]);
  useEffect(() => seenAssignees.add(list.rows.value ?? []), [list.rows.value, session.value]);
  const show = (ask: OpenAsk | undefined): void =>
    navigate(approvalsPath({ assignee, run: ask?.runId, op: ask?.op }), { replace: true });
  return (
    <main class="page approvals-page" onKeyDown={(event) => leave(event, () => show(undefined))}>
      <div class="approvals-top">
        <h1>Approvals</h1>
        <Count list={list} />
      </div>
      {list.failure.value?.status !== 501 && <Assignees selected={assignee} />}
      {runId !== undefined && open === undefined && <NotListed list={list} runId={runId} />}
      <Body list={list} assignee={assignee} open={open && keyOf(open.ask.value)} show={show} />
    </main>
  );
}

function leave(event: KeyboardEvent, close: () => void): void {
  const { key, target } = event;
  if (key !== "Escape" || !(target instanceof HTMLElement) || target.closest("dialog") !== null) return;
  const isField = target.matches("textarea, select, input");
  const row = target.closest(".ask")?.querySelector<HTMLElement>("[data-row]");
  row?.focus();
  if (!isField) close();
}

function Count({ list }: { readonly list: ApprovalList }): JSX.Element | null {
  if (list.rows.value === undefined) return null;
  const count = list.count.value;
  return (
    <p class="muted" role="status">
      {count}
      {list.hasMore.value ? "+" : ""} open
    </p>
  );
}

/** The link of a chat may be older than the answer. */
function NotListed({ list, runId }: { readonly list: ApprovalList; readonly runId: string }): JSX.Element | null {
  if (list.rows.value === undefined) return null;
  return (
    <p class="note">
      The ask of this link is not in the list: it is closed, or its deadline is later than those of the list.{" "}
      <a href={runPath(runId)}>Open its run</a>
    </p>
  );
}

interface BodyProps {
  readonly list: ApprovalList;
  readonly assignee: string | undefined;
  readonly open: string | undefined;
  readonly show: (ask: OpenAsk | undefined) => void;
}

function Body({ list, assignee, open, show }: BodyProps): JSX.Element {
  const rows = list.rows.value;
  const failure = list.failure.value;
  if (failure?.status === 501) return <NoIndex />;
  return (
    <>
      {failure && <FailureNote failure={failure} triesAgain />}
      <Fresh list={list} show={show} />
      {rows === undefined && !failure && (
        <p class="muted loading">{signedOut.value ? "Sign in to see approvals." : "Loading…"}</p>
      )}
      {rows?.length === 0 && (assignee === undefined ? <NoAsks /> : <NoMatch assignee={assignee} />)}
      {rows !== undefined && rows.length > 0 && (
        <ol class="asks">
          {rows.map((state) => {
            const key = keyOf(state.ask.value);
            return (
              <AskRow
                key={key}
                state={state}
                isOpen={key === open}
                show={show}
                onFocus={(has) => void (list.focused = has ? key : undefined)}
              />
            );
          })}
        </ol>
      )}
      {list.hasMore.value && (
        <p class="more">
          <button type="button" onClick={() => void list.more()}>
            Load more
          </button>
        </p>
      )}
    </>
  );
}

/** New asks wait while one is open: nothing moves under the reader. */
function Fresh({ list, show }: Pick<BodyProps, "list" | "show">): JSX.Element {
  const count = list.fresh.value.length;
  return (
    <div class="fresh" aria-live="polite">
      {count > 0 && (
        <button type="button" class="pill" onClick={() => show(undefined)}>
          {count === 1 ? "1 new ask" : `${count} new asks`}
        </button>
      )}
    </div>
  );
}
