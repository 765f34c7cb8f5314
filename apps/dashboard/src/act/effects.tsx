/**
 * What an action will do to this run, in the run's own terms.
 *
 * Owns: the texts. They are computed from the journal by this page, and say so; the server decides.
 */
import type { RunActionName, RunOverview } from "@holdfast/workflows/client";
import type { ComponentChildren, JSX } from "preact";
import { Text } from "../ui/text.tsx";
import type { ActData } from "./act-data.ts";
import type { Fields, Step } from "./forms.ts";
import { type Fate, type PlannedOperation, planOf, undoneBy } from "./preview.ts";

const LISTED = 50;

interface EffectsProps {
  readonly action: RunActionName;
  readonly data: ActData;
  readonly fields: Fields;
}

export function Effects({ action, data, fields }: EffectsProps): JSX.Element | null {
  if (action === "cancelRun" || action === "terminateRun")
    return <UndonePreview data={data} isUndone={action === "cancelRun"} />;
  const record = data.record.value;
  if (action === "deleteRun" && record !== undefined) return <LossPreview data={data} record={record} />;
  if (action !== "resumeRun") return null;
  const failed = record?.error?.step;
  const from =
    fields.step ?? (failed === undefined ? undefined : { name: failed, occurrence: occurrenceOf(data, failed) });
  return <ResumePreview data={data} plan={planOf(data.entries.value, from, new Set(Object.keys(fields.results)))} />;
}

function UndonePreview({ data, isUndone }: { readonly data: ActData; readonly isUndone: boolean }): JSX.Element {
  const steps = undoneBy(data.entries.value);
  const title = isUndone ? "What is undone" : "What is left as it is";
  if (steps.length === 0)
    return (
      <Preview data={data} title={title}>
        <p>No completed step declares a compensation, so nothing is undone.</p>
      </Preview>
    );
  return (
    <Preview data={data} title={title}>
      <p>
        {steps.length === 1 ? "1 step has" : `${steps.length} steps have`} a compensation
        {isUndone ? ", which executes, the last completed first:" : ", which does not execute:"}
      </p>
      <Steps steps={steps} />
    </Preview>
  );
}

function LossPreview({ data, record }: { readonly data: ActData; readonly record: RunOverview }): JSX.Element {
  return (
    <Preview data={data} title="What is lost">
      <ul>
        <li>
          The record of this run of <Text of={record.workflowId} max={80} />: input, output, metadata, streams, audit
        </li>
        <li>{data.entries.value.length.toLocaleString("en")} entries of the journal, with the results of the steps</li>
        <li>The possibility to resume it, and its idempotency key</li>
      </ul>
    </Preview>
  );
}

/** The use of the step that failed: its newest one. */
function occurrenceOf(data: ActData, name: string): number {
  const uses = data.entries.value.flatMap(({ type, operation }) =>
    type === "step.failed" && operation.name === name ? [operation.occurrence] : [],
  );
  return Math.max(0, ...uses.slice(-1));
}

const FATES: readonly (readonly [Fate, string, string])[] = [
  ["again", "Executes again", "!"],
  ["given", "Gets the result above", "="],
  ["kept", "Is kept", "✓"],
];

function ResumePreview({
  data,
  plan,
}: {
  readonly data: ActData;
  readonly plan: readonly PlannedOperation[];
}): JSX.Element {
  return (
    <Preview data={data} title="What the new run does">
      {FATES.map(([fate, text, mark]) => {
        const found = plan.filter((one) => one.fate === fate && one.kind !== "metadata");
        if (found.length === 0) return null;
        return (
          <div key={fate} class={`fate is-${fate}`}>
            <h4>
              <span aria-hidden="true">{mark} </span>
              {text}: {found.length}
            </h4>
            <Steps steps={found} />
          </div>
        );
      })}
    </Preview>
  );
}

interface PreviewProps {
  readonly data: ActData;
  readonly title: string;
  readonly children: ComponentChildren;
}

function Preview({ data, title, children }: PreviewProps): JSX.Element {
  return (
    <section class="effects" aria-label={title}>
      <h3>{title}</h3>
      {children}
      <p class="muted">
        {data.isWhole.value
          ? "This page computes this from the journal. The server decides."
          : `The journal is loading: ${data.entries.value.length.toLocaleString("en")} entries so far.`}
      </p>
    </section>
  );
}

function Steps({ steps }: { readonly steps: readonly (Step & { readonly kind?: string })[] }): JSX.Element {
  return (
    <ul>
      {steps.slice(0, LISTED).map(({ kind = "step", name, occurrence }) => (
        <li key={`${kind}/${occurrence}/${name}`}>
          {kind === "step" ? "" : `${kind} `}
          <Text of={name} max={120} />
          {occurrence > 0 && <span class="muted"> use no. {occurrence + 1}</span>}
        </li>
      ))}
      {steps.length > LISTED && <li class="muted">and {steps.length - LISTED} more</li>}
    </ul>
  );
}
