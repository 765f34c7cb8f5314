/**
 * What operators do with a schedule, as forms.
 *
 * Owns: their texts, requests and commands. The key of a start by hand is made when its form opens, so a request without an
 * answer may be sent again.
 */
import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import { TextField } from "../act/field.tsx";
import { Check } from "../flow/check.tsx";
import { newId } from "../act/request.ts";
import { OperationDialog } from "../flow/operation.tsx";
import { RunLink } from "../flow/parts.tsx";
import { navigate, schedulesPath } from "../router.ts";
import { api } from "../session.ts";
import { BackfillForm } from "./backfill-form.tsx";
import { type FormProps, pathOf } from "./schedule-request.ts";

export type Form = "trigger" | "pause" | "resume" | "backfill" | "cancelBackfill" | "delete";

const FORMS: Readonly<Record<Form, (props: FormProps) => JSX.Element>> = {
  trigger: TriggerForm,
  pause: PauseForm,
  resume: ResumeForm,
  backfill: BackfillForm,
  cancelBackfill: CancelBackfillForm,
  delete: DeleteForm,
};

export function ScheduleOperation({ form, ...props }: FormProps & { readonly form: Form }): JSX.Element {
  const Shown = FORMS[form];
  return <Shown {...props} key={form} />;
}

function TriggerForm({ schedule: { id }, onClose, onDone }: FormProps): JSX.Element {
  const [key] = useState(newId);
  const send = async (): Promise<ComponentChildren> => {
    const { runId } = await api().schedule(id).trigger({ key });
    onDone();
    return (
      <>
        Started: <RunLink id={runId} />
      </>
    );
  };
  return (
    <OperationDialog
      name="Start now"
      subject={id}
      does="Starts a run of the schedule now, whatever else executes. It delays no tick. Sent again, the request starts one run."
      scope="trigger"
      request={{ verb: "POST", path: pathOf(id, "/trigger"), body: { key } }}
      command={{ args: ["holdfast", "schedule", "trigger", id] }}
      send={send}
      onClose={onClose}
    />
  );
}

function PauseForm({ schedule: { id }, onClose, onDone }: FormProps): JSX.Element {
  const [text, setText] = useState("");
  const reason = text.trim() === "" ? undefined : text.trim();
  const send = async (): Promise<ComponentChildren> => {
    await api().schedule(id).pause(reason);
    onDone();
    return "Paused: its ticks are skipped.";
  };
  return (
    <OperationDialog
      name="Pause"
      subject={id}
      does="Its ticks are skipped until it is resumed, also after a deploy. Runs continue."
      scope="operate"
      request={{ verb: "POST", path: pathOf(id, "/pause"), body: reason === undefined ? {} : { reason } }}
      command={{ args: ["holdfast", "schedule", "pause", id, ...(reason === undefined ? [] : ["--reason", reason])] }}
      send={send}
      onClose={onClose}
    >
      <TextField label="Reason (optional)" problem={undefined} value={text} onText={setText} />
    </OperationDialog>
  );
}

function ResumeForm({ schedule: { id }, onClose, onDone }: FormProps): JSX.Element {
  const [catchUp, setCatchUp] = useState(false);
  const send = async (): Promise<ComponentChildren> => {
    await api().schedule(id).resume({ catchUp });
    onDone();
    return "Resumed: it fires at its next tick.";
  };
  return (
    <OperationDialog
      name="Resume"
      subject={id}
      does="It fires again from now on."
      scope="operate"
      request={{ verb: "POST", path: pathOf(id, "/resume"), body: { catchUp } }}
      command={{ args: ["holdfast", "schedule", "resume", id, ...(catchUp ? ["--catch-up"] : [])] }}
      send={send}
      onClose={onClose}
    >
      <Check label="Treat the ticks of the pause as missed" isChecked={catchUp} onChange={setCatchUp} />
    </OperationDialog>
  );
}

function CancelBackfillForm({ schedule: { id }, onClose, onDone }: FormProps): JSX.Element {
  const send = async (): Promise<ComponentChildren> => {
    await api().schedule(id).cancelBackfill();
    onDone();
    return "The backfill has ended.";
  };
  return (
    <OperationDialog
      name="End the backfill"
      subject={id}
      does="No more ticks of the backfill start. Runs that it started continue."
      scope="operate"
      isDestructive
      request={{ verb: "DELETE", path: pathOf(id, "/backfill") }}
      command={undefined}
      send={send}
      onClose={onClose}
    />
  );
}

function DeleteForm({ schedule: { id }, onClose }: FormProps): JSX.Element {
  const send = async (): Promise<ComponentChildren> => {
    await api().schedule(id).delete();
    navigate(schedulesPath());
    return "Deleted.";
  };
  return (
    <OperationDialog
      name="Delete"
      subject={id}
      does="The schedule and its ticks are gone, forever. Runs continue."
      scope="operate"
      isDestructive
      request={{ verb: "DELETE", path: pathOf(id) }}
      command={{ args: ["holdfast", "schedule", "delete", id] }}
      send={send}
      onClose={onClose}
    />
  );
}
