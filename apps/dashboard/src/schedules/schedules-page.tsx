/**
 * The page of all schedules: when each fires next, and what became of its last tick.
 */
import type { ListedSchedule, PreviewedTime } from "@holdfast/workflows/client";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { Empty, NotConfigured, Pending, State, Table, isNotConfigured } from "../flow/parts.tsx";
import { useReading } from "../flow/reading.ts";
import { runsPath, schedulePath } from "../router.ts";
import { api } from "../session.ts";
import { Text, visible } from "../ui/text.tsx";
import { Ago } from "../ui/times.tsx";
import { Outcome, Why } from "./outcome.tsx";
import { STATUS_LIKE, STATUS_TEXTS, localText, timesText } from "./schedule-text.ts";

const HOW = `const nightly = schedule({ id: "nightly", cron: "30 2 * * *", tz: "Europe/Berlin", workflow: report });
const app = holdfast({ workflows: [report], schedules: [nightly] });`;

export function SchedulesPage(): JSX.Element {
  const reading = useReading((signal) => api().schedules({ signal }), []);
  useEffect(() => {
    document.title = "Schedules · Holdfast";
  }, []);
  const failure = reading.failure.value;
  if (isNotConfigured(failure)) return <NotConfigured what="schedules" />;
  const schedules = reading.value.value;
  return (
    <main class="page flow-page">
      <div class="flow-top">
        <h1>Schedules</h1>
      </div>
      <Pending failure={failure} isRead={schedules !== undefined} what="schedules" />
      {schedules?.length === 0 && (
        <Empty title="There is no schedule" code={HOW} label="How code declares a schedule">
          <p>
            A schedule starts runs by the clock. Code declares it, or <code>holdfast schedule create</code>.
          </p>
        </Empty>
      )}
      {schedules !== undefined && schedules.length > 0 && (
        <Table label="Schedules" columns={["Schedule", "Workflow", "Times", "State", "Next tick", "Last tick", "From"]}>
          {schedules.map((schedule) => (
            <Row schedule={schedule} key={schedule.id} />
          ))}
        </Table>
      )}
    </main>
  );
}

function Row({ schedule }: { readonly schedule: ListedSchedule }): JSX.Element {
  const { id, workflowId, status, next, source, paused, description } = schedule;
  const [first] = next;
  return (
    <tr>
      <th scope="row">
        <a class="mono" href={schedulePath(id)} data-row>
          <Text of={id} max={100} />
        </a>
        {description !== undefined && (
          <span class="muted flow-line">
            <Text of={description} max={120} />
          </span>
        )}
      </th>
      <td>
        <a href={runsPath(`workflow:${JSON.stringify(workflowId)}`)}>
          <Text of={workflowId} max={80} />
        </a>
      </td>
      <td class="mono">{visible(timesText(schedule).slice(0, 160))}</td>
      <td>
        <State like={STATUS_LIKE[status]}>{STATUS_TEXTS[status]}</State>
        {paused !== undefined && (
          <span class="muted flow-line">
            by <Text of={paused.by} max={80} />
          </span>
        )}
      </td>
      <td>{first !== undefined && <NextTick next={first} />}</td>
      <LastTick last={schedule.last} />
      <td>{source === "code" ? "code" : "API"}</td>
    </tr>
  );
}

function NextTick({ next: { fireAt, local, note } }: { readonly next: PreviewedTime }): JSX.Element {
  return (
    <>
      <Ago at={fireAt} />
      <span class="muted flow-line num">{localText(local)}</span>
      {note !== undefined && <span class="note-line">{visible(note)}</span>}
    </>
  );
}

function LastTick({ last }: { readonly last: ListedSchedule["last"] }): JSX.Element {
  if (last === undefined) return <td class="muted">none yet</td>;
  return (
    <td>
      <Outcome of={last} />{" "}
      <span class="muted">
        <Ago at={last.nominal} />
      </span>
      <span class="muted flow-line">
        <Why of={last} />
      </span>
    </td>
  );
}
