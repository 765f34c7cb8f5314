/** tests: the dashboard for Grafana shows metrics that exist, and all of them */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { COUNTERS, GAUGES } from "../src/telemetry/metrics.ts";

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly datasource?: { readonly uid: string };
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

const METRICS: Readonly<Record<string, readonly string[]>> = { ...GAUGES, ...COUNTERS };
/** The labels that Prometheus adds to each sample. */
const ADDED = ["job", "instance"];

const dashboard = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../../deploy/grafana/holdfast.json"), "utf8"),
) as {
  readonly title: string;
  readonly uid: string;
  readonly schemaVersion: number;
  readonly templating: { readonly list: readonly { readonly name: string; readonly query: unknown }[] };
  readonly panels: readonly Panel[];
};
const queries = dashboard.panels.flatMap(({ title, targets = [] }) => targets.map((target) => ({ title, ...target })));

/** The metrics that an expression reads, each with the labels that it uses. */
function usesOf(expr: string): { readonly name: string; readonly labels: readonly string[] }[] {
  const grouped = /\bby \(([^)]*)\)/.exec(expr)?.[1]?.split(/, */) ?? [];
  return [...expr.matchAll(/\b(holdfast_\w+)\{([^}]*)\}/g)].map(([, name = "", selectors = ""]) => ({
    name,
    labels: [...grouped, ...[...selectors.matchAll(/(\w+)(?:=~|!~|!=|=)"/g)].map(([, label = ""]) => label)],
  }));
}

test("OBS3 each query of the dashboard reads a metric that exists, by labels that it has", () => {
  expect(queries.length).toBeGreaterThan(10);
  for (const { title, expr, legendFormat } of queries) {
    const uses = usesOf(expr);
    expect([title, uses.length], expr).toEqual([title, expr.match(/holdfast_/g)?.length]);
    const shown = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = ""]) => label);
    for (const { name, labels } of uses) {
      expect(Object.keys(METRICS)).toContain(name);
      const known = new Set([...(METRICS[name] ?? []).slice(1), ...ADDED]);
      expect([expr, [...labels, ...shown].filter((label) => !known.has(label))]).toEqual([expr, []]);
    }
  }
});

test("OBS3 the dashboard shows every metric, counters as rates and gauges as they are", () => {
  const used = new Set(queries.flatMap(({ expr }) => usesOf(expr).map(({ name }) => name)));
  expect([...used].toSorted()).toEqual(Object.keys(METRICS).toSorted());
  for (const { expr } of queries) expect([expr, /_total\b/.test(expr)]).toEqual([expr, /\brate\(/.test(expr)]);
});

test("OBS3 the dashboard can be imported: every panel has an id, a place and the data source that the user chooses", () => {
  expect([dashboard.title, dashboard.uid, dashboard.schemaVersion]).toEqual(["Holdfast", "holdfast", 39]);
  const ids = dashboard.panels.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  const cells = new Set<string>();
  for (const { type, datasource, gridPos } of dashboard.panels) {
    if (type !== "row") expect(datasource?.uid).toBe("${datasource}");
    expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        expect(cells.has(`${x},${y}`)).toBe(false);
        cells.add(`${x},${y}`);
      }
    }
  }
  const variables = new Set(dashboard.templating.list.map(({ name }) => name));
  const needed = [...JSON.stringify(dashboard).matchAll(/\$\{?([a-z]\w*)/g)].map(([, name = ""]) => name);
  expect(needed.filter((name) => !variables.has(name))).toEqual([]);
});
