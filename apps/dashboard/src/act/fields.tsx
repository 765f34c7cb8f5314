/**
 * The fields of each action.
 *
 * Owns: which action shows which, and the names that are suggested: of open waits first, then of the run's history.
 */
import type { Ask, RunOverview } from "@holdfast/workflows/client";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { JsonInput } from "../ui/json-input.tsx";
import { visible } from "../ui/text.tsx";
import type { FieldsProps } from "./fields-props.ts";
import { SelectField, TextField } from "./field.tsx";
import { namesFor } from "./preview.ts";
import { ReasonField } from "./reason-field.tsx";
import { ResumeFields } from "./resume-fields.tsx";

export function ActFields(props: FieldsProps): JSX.Element | null {
  const { action, fields, problems, onChange } = props;
  if (action === "deliverSignal" || action === "deliverEvent") return <DeliveryFields {...props} />;
  if (action === "resolveToken") return <TokenFields {...props} />;
  if (action === "resumeRun") return <ResumeFields {...props} />;
  const onReason = (reason: string): void => onChange({ reason });
  return <ReasonField action={action} reason={fields.reason} problem={problems.reason} onReason={onReason} />;
}

function DeliveryFields({ action, data, fields, problems, onChange }: FieldsProps): JSX.Element {
  const isSignal = action === "deliverSignal";
  const record = data.record.value;
  const open = record === undefined ? [] : openNames(record, isSignal ? "SIGNAL" : "EVENT");
  const waits = open.map((name) => visible(JSON.stringify(name))).join(", ");
  return (
    <>
      <TextField
        label={isSignal ? "Name of the signal" : "Type of the event"}
        hint={open.length > 0 ? `The run waits for ${waits}.` : undefined}
        problem={problems.name}
        isRequired
        value={fields.name}
        suggestions={namesFor(isSignal ? "signal" : "event", data.entries.value, open)}
        onText={(name) => onChange({ name })}
      />
      <JsonInput
        label="Payload, as JSON (optional)"
        text={fields.json}
        onText={(json) => onChange({ json })}
        problem={problems.json}
      />
      <TextField
        label="Id of the delivery"
        hint="Deliveries with the same id count once."
        problem={problems.id}
        isMono
        value={fields.id}
        onText={(id) => onChange({ id })}
      />
    </>
  );
}

function openNames({ pendingWaitpoints }: RunOverview, kind: string): readonly string[] {
  const names = pendingWaitpoints.flatMap((wait) => {
    const { name } = wait.meta;
    return wait.kind === kind && typeof name === "string" ? [name] : [];
  });
  return [...new Set(names)];
}

function TokenFields({ data, fields, problems, onChange }: FieldsProps): JSX.Element {
  const asks = asksByToken(data.record.value);
  const tokens = [...asks.keys()];
  const [only = ""] = tokens;
  const ask = asks.get(fields.tokenId);
  const isChosen = fields.tokenId !== "";
  useEffect(() => {
    if (!isChosen && only !== "") onChange({ tokenId: only });
  }, [isChosen, only]);
  const others = tokens.filter((tokenId) => tokenId !== fields.tokenId);
  return (
    <>
      <SelectField
        label="Token"
        problem={problems.tokenId}
        value={fields.tokenId}
        onChange={(tokenId) => onChange({ tokenId })}
        options={[
          [fields.tokenId, fields.tokenId === "" ? "The run waits for no token" : textOf(fields.tokenId, ask)],
          ...others.map((tokenId) => [tokenId, textOf(tokenId, asks.get(tokenId))] as const),
        ]}
      />
      <JsonInput
        label={ask === undefined ? "Answer, as JSON (optional)" : "Answer, as JSON"}
        hint={ask && `It must fit what is asked. ${RISKS[ask.risk ?? ""] ?? ""}The page of the run has a form for it.`}
        text={fields.json}
        onText={(json) => onChange({ json })}
        problem={problems.json}
      />
    </>
  );
}

const RISKS: Readonly<Record<string, string>> = { high: "The risk is high. ", medium: "The risk is medium. " };

/** The asks of the tokens for which the run waits; `undefined` for a token that asks nothing. */
function asksByToken(record: RunOverview | undefined): ReadonlyMap<string, Ask | undefined> {
  return new Map(
    (record?.pendingWaitpoints ?? []).flatMap(({ kind, meta }): [string, Ask | undefined][] => {
      const { tokenId, ask } = meta as { readonly tokenId?: unknown; readonly ask?: Ask };
      return kind === "MANUAL" && typeof tokenId === "string" ? [[tokenId, ask]] : [];
    }),
  );
}

function textOf(tokenId: string, ask: Ask | undefined): string {
  return ask === undefined ? tokenId : `${visible(ask.title)} (${tokenId})`;
}
