/**
 * What stands in the place of asks when there are none.
 */
import type { JSX } from "preact";
import { approvalsPath, runsPath } from "../router.ts";
import { visible } from "../ui/text.tsx";

const HOW = `const ask = { title: "Refund order 1043?", choices: [{ label: "Refund", value: true }, { label: "Refuse", value: false }] };
const answer = await ctx.waitForToken({ ask, timeout: "3d" });
if (answer === true) await ctx.step("refund", refund);`;

export function NoAsks(): JSX.Element {
  return (
    <section class="empty">
      <h2>Nothing waits for an answer</h2>
      <p>A workflow asks with three lines. The ask appears here within seconds.</p>
      <pre tabIndex={0} aria-label="How a workflow asks">
        {HOW}
      </pre>
    </section>
  );
}

export function NoMatch({ assignee }: { readonly assignee: string }): JSX.Element {
  return (
    <section class="empty">
      <h2>Nothing waits for this assignee</h2>
      <p class="mono">{visible(assignee)}</p>
      <p>
        <a class="button" href={approvalsPath()}>
          Show all approvals
        </a>
      </p>
    </section>
  );
}

export function NoIndex(): JSX.Element {
  return (
    <section class="empty">
      <h2>This deployment has no index of runs</h2>
      <p>Approvals cannot be listed. Open a run that asks: its page has the form that answers.</p>
      <p>
        <a class="button" href={runsPath()}>
          Open a run by its id
        </a>
      </p>
    </section>
  );
}
