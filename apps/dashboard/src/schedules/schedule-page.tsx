/**
 * The page of one schedule: when it fires next, in its zone, and what became of each tick and why.
 *
 * Owns: which form is open, and how many ticks are shown.
 */
import type { ScheduleRecord } from "@holdfast/workflows/client";
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Empty, NotConfigured, Pending, State, isNotConfigured, titled } from "../flow/parts.tsx";
import { useReading } from "../flow/reading.ts";
import { schedulesPath } from "../router.ts";
import { api } from "../session.ts";
import { Text } from "../ui/text.tsx";
import { NextTimes } from "./next-times.tsx";
import { ScheduleFacts } from "./schedule-facts.tsx";
import { type Form, ScheduleOperation } from "./schedule-operations.tsx";
import { STATUS_LIKE, STATUS_TEXTS } from "./schedule-text.ts";
import { Ticks } from "./ticks.tsx";

const PAGE = 50;

export function SchedulePage({ id }: { readonly id: string }): JSX.Element {
  const [most, setMost] = useState(PAGE);
  const reading = useReading((signal) => api().schedule(id).get({ signal, ticks: most }), [id, most]);
  const [form, setForm] = useState<Form>();
  useEffect(() => {
    document.title = `${titled(id)} · Holdfast`;
  }, [id]);
  const failure = reading.failure.value;
  if (isNotConfigured(failure)) return <NotConfigured what="schedules" />;
  if (failure?.code === "not_found") return <Missing id={id} />;
  const schedule = reading.value.value;
  return (
    <main class="page flow-page">
      <Top id={id} schedule={schedule} onOpen={setForm} />
      <Pending failure={failure} isRead={schedule !== undefined} what="this schedule" />
      {schedule !== undefined && (
        <>
          <ScheduleFacts schedule={schedule} />
          <NextTimes schedule={schedule} />
          <Ticks schedule={schedule} onMore={() => setMost(most + PAGE)} />
          {form !== undefined && (
            <ScheduleOperation
              form={form}
              schedule={schedule}
              onClose={() => setForm(undefined)}
              onDone={() => void reading.again()}
            />
          )}
        </>
      )}
    </main>
  );
}

interface TopProps {
  readonly id: string;
  readonly schedule: ScheduleRecord | undefined;
  readonly onOpen: (form: Form) => void;
}

function Top({ id, schedule, onOpen }: TopProps): JSX.Element {
  const button = (form: Form, text: string): JSX.Element => (
    <button type="button" aria-haspopup="dialog" onClick={() => onOpen(form)} key={form}>
      {text}
    </button>
  );
  return (
    <div class="flow-top">
      <h1 class="mono">
        <Text of={id} max={200} />
      </h1>
      {schedule !== undefined && (
        <>
          <State like={STATUS_LIKE[schedule.status]}>{STATUS_TEXTS[schedule.status]}</State>
          <span class="actions">
            {button("trigger", "Start now…")}
            {schedule.paused === undefined ? button("pause", "Pause…") : button("resume", "Resume…")}
            {schedule.backfill === undefined
              ? button("backfill", "Backfill…")
              : button("cancelBackfill", "End backfill…")}
            {(schedule.source === "api" || schedule.status === "orphaned") && button("delete", "Delete…")}
          </span>
        </>
      )}
    </div>
  );
}

function Missing({ id }: { readonly id: string }): JSX.Element {
  return (
    <main class="page flow-page">
      <Empty title="There is no schedule with this id">
        <p class="mono">
          <Text of={id} max={200} />
        </p>
        <p>It may be deleted, or belong to another tenant.</p>
        <p>
          <a class="button" href={schedulesPath()}>
            Show all schedules
          </a>
        </p>
      </Empty>
    </main>
  );
}
