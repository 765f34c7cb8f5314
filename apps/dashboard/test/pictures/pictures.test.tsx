/**
 * The picture of a timeline that README.md begins with: the gallery, in virtual time, in both themes. After a change of the
 * drawing, look at docs/images and record them with `--update`.
 */
/** @jsxImportSource preact */
import { join } from "node:path";
import { beforeAll, expect, test, vi } from "vitest";
import { TimelineState } from "../../src/timeline/state.ts";
import { Picture } from "./picture.tsx";
import { type Recorded, recordJourney } from "./record-journey.ts";
import { svgText } from "./svg-text.ts";

let journey: { readonly parent: Recorded; readonly child: Recorded };

beforeAll(async () => {
  // Node.js has no storage without a file for it.
  vi.stubGlobal("localStorage", { getItem: () => null });
  journey = await recordJourney();
});

test.each(["light", "dark"] as const)("the picture of README.md is the timeline of the gallery: %s", async (theme) => {
  const { parent, child } = journey;
  const state = new TimelineState();
  state.update(dataOf(parent));
  await state.toggle(child.run.id, async () => dataOf(child));
  const { run } = dataOf(parent);
  const layout = state.layout(run, run.endedAt ?? 0);
  const text = svgText(<Picture title="journey-7" status={run.status} layout={layout} theme={theme} />);
  const file = join(import.meta.dirname, `../../../../docs/images/timeline-${theme}.svg`);
  await expect(text).toMatchFileSnapshot(file);
  expect(text.length).toBeLessThan(60_000);
  expect(text).not.toMatch(/<script|href=|https?:\/\/(?!www\.w3\.org)/);
});

test("T1 T2 the gallery has every kind of row", () => {
  const kinds = new Set(journey.parent.entries.map(({ operation }) => operation.kind));
  expect([...kinds].toSorted()).toEqual(
    ["compensation", "metadata", "run", "signal", "sleep", "step", "token", "unwind"].toSorted(),
  );
});

type Data = Parameters<TimelineState["update"]>[0];

function dataOf({ run, entries }: Recorded): Data {
  // A cast: a record of the API has these fields.
  return { run: run as unknown as Data["run"], entries };
}
