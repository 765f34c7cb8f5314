/**
 * The parts that the pages of limits, schedules and events share.
 *
 * Owns: their forms: a state with its icon, a link to a run, a fact, and what stands in the place of data that is not there.
 */
import type { RunStatus } from "@holdfast/workflows/client";
import type { ComponentChildren, JSX } from "preact";
import { type Failure, FailureNote } from "../failure.tsx";
import { runPath } from "../router.ts";
import { signedOut } from "../session.ts";
import { StatusIcon } from "../ui/status.tsx";
import { Text, visible } from "../ui/text.tsx";

interface StateProps {
  /** The status of a run whose icon and colour it has. */
  readonly like: RunStatus;
  readonly children: ComponentChildren;
}

/** A state by its shape, its colour and its name. */
export function State({ like, children }: StateProps): JSX.Element {
  return (
    <span class={`status is-${like}`}>
      <StatusIcon status={like} />
      {children}
    </span>
  );
}

export function RunLink({ id, isRow = false }: { readonly id: string; readonly isRow?: boolean }): JSX.Element {
  return (
    <a class="mono" href={runPath(id)} data-row={isRow ? true : undefined}>
      <Text of={id} max={80} />
    </a>
  );
}

export function Fact({ name, children }: { readonly name: string; readonly children: ComponentChildren }): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

interface TableProps {
  /** What the table has, for those who do not see it. */
  readonly label: string;
  readonly columns: readonly string[];
  readonly children: ComponentChildren;
}

/** A table that scrolls sideways where it is wider than the page. */
export function Table({ label, columns, children }: TableProps): JSX.Element {
  return (
    <div class="table-scroll" tabIndex={0} role="region" aria-label={label}>
      <table class="flow-table">
        <thead>
          <tr>
            {columns.map((column) => (
              <th scope="col" key={column}>
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

interface PendingProps {
  readonly failure: Failure | undefined;
  readonly isRead: boolean;
  /** What the reader sees after a sign-in. */
  readonly what: string;
}

/** What stands in the place of data that is not read, or beside data that could not be read again. */
export function Pending({ failure, isRead, what }: PendingProps): JSX.Element | null {
  if (failure !== undefined) return <FailureNote failure={failure} triesAgain />;
  if (isRead) return null;
  return <p class="muted loading">{signedOut.value ? `Sign in to see ${what}.` : "Loading…"}</p>;
}

/** The deployment has no objects of limits, schedules and events. */
export function NotConfigured({ what }: { readonly what: string }): JSX.Element {
  return (
    <section class="empty">
      <h2>This deployment has no {what}</h2>
      <p>
        Bind the class <code>CoordinatorDO</code> as <code>COORDINATOR_DO</code>, and add it to the migrations of the
        Worker.
      </p>
    </section>
  );
}

export function isNotConfigured(failure: Failure | undefined): boolean {
  return failure?.code === "limits_not_configured" || failure?.code === "events_not_configured";
}

interface EmptyProps {
  readonly title: string;
  readonly children: ComponentChildren;
  /** Code that shows how to begin. */
  readonly code?: string;
  readonly label?: string;
}

export function Empty({ title, children, code, label }: EmptyProps): JSX.Element {
  return (
    <section class="empty">
      <h2>{title}</h2>
      {children}
      {code !== undefined && (
        <pre tabIndex={0} aria-label={label}>
          {code}
        </pre>
      )}
    </section>
  );
}

/** A text that may be long, as the title of a page. */
export function titled(text: string): string {
  return visible(text.slice(0, 120));
}
