/**
 * What operators change at a limit, as forms.
 *
 * Owns: their texts, requests and commands. A change stays until it is cleared, also when the code changes.
 */
import type { LimitRecord } from "@holdfast/workflows/client";
import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import { TextField } from "../act/field.tsx";
import { OperationDialog } from "../flow/operation.tsx";
import { toSegment } from "../segment.ts";
import { api } from "../session.ts";

/** What is open: a form, and of `kick` the run. */
export type Opened =
  | { readonly form: "max" | "clear" | "pause" | "unpause" }
  | { readonly form: "kick"; readonly runId: string };

interface Place {
  readonly name: string;
  readonly key: string | undefined;
}

interface FormProps {
  readonly place: Place;
  readonly limit: LimitRecord | undefined;
  readonly onClose: () => void;
  readonly onDone: (limit: LimitRecord) => void;
}

export function LimitOperation({ opened, ...props }: FormProps & { readonly opened: Opened }): JSX.Element {
  switch (opened.form) {
    case "max":
      return <MaxForm {...props} />;
    case "kick":
      return <KickForm {...props} runId={opened.runId} />;
    case "clear":
    case "pause":
    case "unpause":
      return <SimpleForm {...props} form={opened.form} />;
  }
}

function pathOf({ name, key }: Place, end = ""): string {
  const parts = [name, ...(key === undefined ? [] : [key])].map(toSegment);
  return `/api/limits/${parts.join("/")}${end}`;
}

function argsOf({ name, key }: Place): readonly string[] {
  return [name, ...(key === undefined ? [] : [key])];
}

function textOf(place: Place): string {
  return argsOf(place).join(" ");
}

const SIMPLE = {
  clear: { name: "Clear max", does: "The max of the code applies again." },
  pause: { name: "Pause", does: "The limit admits nobody until it is released. Runs that hold continue." },
  unpause: { name: "Release", does: "The limit admits runs again, in the order of the queue." },
} as const;

interface SimpleProps extends FormProps {
  readonly form: keyof typeof SIMPLE;
}

function SimpleForm({ form, place, onClose, onDone }: SimpleProps): JSX.Element {
  const { name, does } = SIMPLE[form];
  const handle = (): ReturnType<ReturnType<typeof api>["limit"]> => api().limit(place.name, place.key);
  const request =
    form === "clear"
      ? ({ verb: "PATCH", path: pathOf(place), body: { max: null } } as const)
      : ({ verb: "POST", path: pathOf(place, "/pause"), body: { paused: form === "pause" } } as const);
  const send = async (): Promise<ComponentChildren> => {
    const one = handle();
    onDone(await (form === "clear" ? one.setMax(null) : form === "pause" ? one.pause() : one.unpause()));
    return `${name}: accepted.`;
  };
  return (
    <OperationDialog
      name={name}
      subject={textOf(place)}
      does={does}
      scope="operate"
      request={request}
      command={{ args: ["holdfast", "limit", form, ...argsOf(place)] }}
      send={send}
      onClose={onClose}
    />
  );
}

function MaxForm({ place, limit, onClose, onDone }: FormProps): JSX.Element {
  const [text, setText] = useState(String(limit?.max ?? ""));
  const max = /^[1-9]\d{0,8}$/.test(text) ? Number(text) : undefined;
  const held = limit?.held ?? 0;
  const send = async (): Promise<ComponentChildren> => {
    onDone(
      await api()
        .limit(place.name, place.key)
        .setMax(max ?? 1),
    );
    return `Set max: ${max} runs may hold.`;
  };
  return (
    <OperationDialog
      name="Set max"
      subject={textOf(place)}
      does="It takes the place of the max of the code, also after a deploy, until you clear it."
      scope="operate"
      request={{ verb: "PATCH", path: pathOf(place), body: { max: max ?? null } }}
      command={{ args: ["holdfast", "limit", "set", ...argsOf(place), "--max", text] }}
      isInvalid={max === undefined}
      send={send}
      onClose={onClose}
    >
      <TextField
        label="How many runs may hold"
        hint={limit?.declaredMax == null ? undefined : `The code says ${limit.declaredMax}.`}
        problem={max === undefined ? "A whole number of at least 1." : undefined}
        value={text}
        onText={setText}
      />
      {max !== undefined && max < held && (
        <p class="note">
          {held} runs hold now. None of them is stopped; the next is admitted when fewer than {max} hold.
        </p>
      )}
    </OperationDialog>
  );
}

function KickForm({ place, runId, onClose, onDone }: FormProps & { readonly runId: string }): JSX.Element {
  const send = async (): Promise<ComponentChildren> => {
    onDone(await api().limit(place.name, place.key).kick(runId));
    return "The run is cancelled, and its place is free.";
  };
  return (
    <OperationDialog
      name="Cancel and free the place"
      subject={textOf(place)}
      does="Cancels the run and gives its place to the next at once, also if the run does not answer: a body of it that still executes then overlaps with the next run."
      scope="operate"
      isDestructive
      request={{ verb: "POST", path: pathOf(place, "/kick"), body: { runId } }}
      command={{ args: ["holdfast", "limit", "kick", ...argsOf(place), "--run", runId] }}
      send={send}
      onClose={onClose}
    />
  );
}
