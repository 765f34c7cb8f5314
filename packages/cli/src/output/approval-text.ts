/**
 * Open asks for people: the columns of the list, and the page of one.
 */
import type { Approval } from "@holdfast/workflows/client";
import type { Paint, Style } from "./colours.ts";
import type { RowShape } from "./printer.ts";
import { Text, safe, safeJson } from "./safe-text.ts";
import { ago, instant } from "./times.ts";
import { wrap } from "./width.ts";

const RISKS: Readonly<Record<string, Style>> = { low: "green", medium: "yellow", high: ["red", "bold"] };

/** `now` gives ages their reference. */
export function approvalShape(now: number): RowShape<Approval> {
  return {
    id: ({ runId }) => runId,
    empty: "Nobody is asked anything.",
    columns: [
      { name: "run", cell: ({ runId }) => runId },
      { name: "title", cell: ({ title }) => title, min: 12 },
      {
        name: "risk",
        cell: ({ risk }) => risk ?? "",
        style: ({ risk }) => RISKS[risk ?? ""] ?? "reset",
        optional: true,
      },
      { name: "until", cell: ({ until }) => ago(until, now), align: "right" },
      { name: "opened", cell: ({ openedAt }) => ago(openedAt, now), align: "right", optional: true },
      { name: "assignees", cell: ({ assignees }) => assignees.join(" "), min: 10, optional: true },
      { name: "workflow", cell: ({ workflowId }) => workflowId, hidden: true },
      { name: "token", cell: ({ tokenId }) => tokenId ?? "(needs the scope deliver)", hidden: true },
    ],
  };
}

interface Page {
  readonly paint: Paint;
  readonly width: number;
  readonly now: number;
}

/** The question, whom it is for, and what may be answered. */
export function approvalLines(approval: Approval, page: Page): readonly Text[] {
  const { title, details, schema, choices, risk, assignees, openedAt, until } = approval;
  const { paint, now } = page;
  const facts: readonly (readonly [string, string | undefined])[] = [
    ["run", `${approval.runId} (${approval.workflowId})`],
    ["token", approval.tokenId],
    ["risk", risk],
    ["assignees", assignees.length === 0 ? undefined : assignees.join(" ")],
    ["opened", `${instant(openedAt)} (${ago(openedAt, now)})`],
    ["until", until === undefined ? undefined : `${instant(until)} (${ago(until, now)})`],
  ];
  return [
    paint("bold", title),
    ...facts.flatMap(([name, value]) => (value === undefined ? [] : field(name, value, page))),
    // Markdown is text for people as it is.
    ...block(details?.split("\n"), page),
    ...block(choices?.map(choiceText), page, "choices"),
    ...block(schema === undefined ? undefined : safeJson(schema, 2).split("\n"), page, "schema"),
  ];
}

function choiceText({ label, value }: NonNullable<Approval["choices"]>[number]): string {
  return `${label}  ${safeJson(value)}`;
}

const FIELD_CHARS = 11;

function field(name: string, value: string, { paint, width }: Page): readonly Text[] {
  return wrap(safe`${value}`.text, Math.max(20, width - FIELD_CHARS - 2)).map(
    (line, n) => safe`  ${paint("dim", (n === 0 ? name : "").padEnd(FIELD_CHARS))}${line}`,
  );
}

function block(lines: readonly string[] | undefined, { paint, width }: Page, name?: string): readonly Text[] {
  if (lines === undefined) return [];
  const shown = lines.flatMap((line) => wrap(safe`${line}`.text, Math.max(20, width - 4)));
  const indent = name === undefined ? "  " : "    ";
  return [
    new Text(""),
    ...(name === undefined ? [] : [safe`  ${paint("dim", name)}`]),
    ...shown.map((line) => (line === "" ? new Text("") : safe`${indent}${line}`)),
  ];
}
