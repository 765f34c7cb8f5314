/**
 * The form of a replay of an event.
 *
 * Owns: which triggers and waits it has. Without a choice it has all triggers, and no waits.
 */
import type { EventRecord, ReplayOptions } from "@holdfast/workflows/client";
import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import { SelectField, TextField } from "../act/field.tsx";
import { Check } from "../flow/check.tsx";
import { OperationDialog } from "../flow/operation.tsx";
import { api } from "../session.ts";

interface ReplayFormProps {
  readonly event: EventRecord;
  readonly onClose: () => void;
  readonly onDone: (event: EventRecord) => void;
}

const MODES = [
  ["missing", "only runs that were not started"],
  ["force", "all runs again, under new ids"],
] as const;

function chosenTriggers(text: string): Pick<ReplayOptions, "triggers"> {
  const triggers = text.split(",").flatMap((one) => (one.trim() === "" ? [] : [one.trim()]));
  return triggers.length === 0 ? {} : { triggers };
}

/** The command that sends the same. */
function argsOf(id: string, { mode, waits, triggers = [] }: ReplayOptions): readonly string[] {
  const only = triggers.length === 0 ? [] : ["--trigger", ...triggers];
  return ["holdfast", "event", "replay", id, "--mode", mode, ...only, ...(waits === true ? ["--waits"] : [])];
}

function triggersOf({ targets, unmatched }: EventRecord): readonly string[] {
  return [...targets, ...unmatched].flatMap(({ trigger }) => (trigger === undefined ? [] : [trigger]));
}

export function ReplayForm({ event, onClose, onDone }: ReplayFormProps): JSX.Element {
  const { id, key } = event;
  const [mode, setMode] = useState<ReplayOptions["mode"]>("missing");
  const [text, setText] = useState("");
  const [waits, setWaits] = useState(false);
  const body = { mode, waits, ...chosenTriggers(text) };
  const send = async (): Promise<ComponentChildren> => {
    onDone(await api().event(id).replay(body));
    return "Replayed: what it does is below its targets.";
  };
  return (
    <OperationDialog
      name="Replay"
      subject={id}
      does="Decides again, by the triggers of now, what the event starts."
      scope="operate"
      isDestructive={mode === "force"}
      request={{ verb: "POST", path: `/api/events/${encodeURIComponent(id.toWellFormed())}/replay`, body }}
      command={{ args: argsOf(id, body) }}
      send={send}
      onClose={onClose}
    >
      <Mode mode={mode} onMode={setMode} />
      <TextField
        label="Triggers, with commas between (optional: all that match)"
        problem={undefined}
        isMono
        value={text}
        suggestions={[...new Set(triggersOf(event))]}
        onText={setText}
      />
      {key !== undefined && (
        <Check label="Runs that wait for its key get it again" isChecked={waits} onChange={setWaits} />
      )}
    </OperationDialog>
  );
}

interface ModeProps {
  readonly mode: ReplayOptions["mode"];
  readonly onMode: (mode: ReplayOptions["mode"]) => void;
}

function Mode({ mode, onMode }: ModeProps): JSX.Element {
  return (
    <SelectField
      label="It starts"
      problem={undefined}
      value={mode}
      options={MODES}
      onChange={(value) => onMode(value === "force" ? "force" : "missing")}
    />
  );
}
