/** tests: what a form sends, and what it knows before it sends (ACT2, ACT3) */
import type { RunActionName, RunRecord } from "@holdfast/workflows/client";
import { ApiError } from "@holdfast/workflows/client";
import { expect, test } from "vitest";
import { newFields, prepare } from "../../src/act/forms.ts";
import { fieldProblems } from "../../src/act/send.ts";
import { newStart, prepareStart, startLike } from "../../src/act/start-form.ts";
import { workflowRows } from "../../src/act/workflow-rows.ts";

const ORIGIN = "https://flows.example";

test.each<[RunActionName, object, string, unknown]>([
  ["cancelRun", {}, "POST /api/runs/a%2Fb/cancel", {}],
  ["cancelRun", { reason: "x" }, "POST /api/runs/a%2Fb/cancel", { reason: "x" }],
  ["unpauseRun", { reason: "ignored" }, "POST /api/runs/a%2Fb/unpause", {}],
  [
    "deliverEvent",
    { name: "e", json: "[1]", id: "d" },
    "POST /api/runs/a%2Fb/events",
    { eventType: "e", payload: [1], deliveryId: "d" },
  ],
  ["deliverSignal", { name: "s", json: " ", id: "d" }, "POST /api/runs/a%2Fb/signals", { name: "s", deliveryId: "d" }],
  ["resolveToken", { tokenId: "t/1", json: "null" }, "POST /api/runs/a%2Fb/tokens/t%2F1", { payload: null }],
  ["resumeRun", { id: "n" }, "POST /api/runs/a%2Fb/resume", { runId: "n" }],
  [
    "resumeRun",
    { id: "n", step: { name: "c", occurrence: 2 }, json: "1", results: { __proto__x: "2" } },
    "POST /api/runs/a%2Fb/resume",
    { runId: "n", input: 1, resumeFromStep: { name: "c", occurrence: 2 }, seedResults: { __proto__x: 2 } },
  ],
  ["deleteRun", {}, "DELETE /api/runs/a%2Fb", undefined],
])("ACT2 %s with %j is one request", (action, given, where, body) => {
  const { request, problems } = prepare(action, "a/b", newFields(given), ORIGIN);
  expect([`${request.verb} ${request.path}`, request.body, problems]).toEqual([where, body, {}]);
});

test("ACT2 a result for a step named __proto__ is sent", () => {
  const results = Object.fromEntries([["__proto__", "7"]]);
  const { request } = prepare("resumeRun", "r", newFields({ results }), ORIGIN);
  expect(JSON.stringify(request.body)).toContain('"seedResults":{"__proto__":7}');
});

test.each<[RunActionName, object, string]>([
  ["terminateRun", { reason: "  " }, "reason"],
  ["deliverSignal", {}, "name"],
  ["deliverSignal", { name: "s", json: "{" }, "json"],
  ["resolveToken", {}, "tokenId"],
  ["resumeRun", { results: { a: "" } }, "results"],
])("ACT2 %s with %j is not sent: the field %s has a problem", (action, given, field) => {
  expect(Object.keys(prepare(action, "r", newFields(given), ORIGIN).problems)).toEqual([field]);
});

test("ACT3 each form has an id of its own, and the same id each time it is prepared", () => {
  const fields = newFields({ name: "s" });
  const idOf = (): unknown => prepare("deliverSignal", "r", fields, ORIGIN).request.body?.["deliveryId"];
  expect(idOf()).toBe(idOf());
  expect(newFields().id).not.toBe(fields.id);
});

test("ACT2 what the API has against a field is shown there", () => {
  const error = new ApiError("POST /", 400, "invalid_body", "m", {
    issues: [
      { path: "eventType", message: "too long" },
      { path: "seedResults.charge", message: "no" },
      { path: "unknown", message: "x" },
      null,
    ],
  });
  expect(fieldProblems(error)).toEqual({ name: "too long", results: "seedResults.charge: no" });
  expect(fieldProblems(new ApiError("POST /", 400, "unknown_step", "There is none."))).toEqual({
    step: "There is none.",
  });
  const answer = new ApiError("POST /", 400, "invalid_answer", "m", {
    issues: [
      { path: "cents", message: "too small" },
      { path: "", message: "no object" },
    ],
  });
  expect(fieldProblems(answer)).toEqual({ json: "cents: too small; no object" });
  expect(fieldProblems(new ApiError("POST /", 409, "idempotency_conflict", "exists"))).toEqual({ id: "exists" });
  expect(fieldProblems(new Error("x"))).toEqual({});
});

test("ACT2 a start has the fields that are filled, and one like another run has its values", () => {
  const like = startLike({
    workflowId: "order",
    workflowVersion: "2",
    input: { a: 1 },
    tags: ["vip", "a b"],
    timeoutMs: 5_000,
  } as unknown as RunRecord);
  const { request, problems, command } = prepareStart(newStart({ ...like, id: "r" }), ORIGIN);
  expect(request).toEqual({
    verb: "POST",
    path: "/api/runs",
    body: {
      workflowId: "order",
      workflowVersion: "2",
      runId: "r",
      tags: ["vip", "a b"],
      timeout: "5000ms",
      input: { a: 1 },
    },
  });
  expect(problems).toEqual({});
  expect(command?.args.join(" ")).toBe(
    `npx holdfast start --workflow-version=2 --id=r --tag=vip --tag=a b --budget=5000ms --input={"a":1} --url=${ORIGIN} -- order`,
  );
  expect(prepareStart(newStart({ id: "" }), ORIGIN).problems).toMatchObject({
    workflowId: expect.any(String),
    id: expect.any(String),
  });
  const cut = startLike({
    workflowId: "w",
    workflowVersion: null,
    input: "[cut]",
    tags: [],
    truncated: true,
  } as unknown as RunRecord);
  expect(cut).toMatchObject({ json: "", version: "" });
});

test("ACT6 a workflow that is not served and has runs is listed, and a number that is unknown is not zero", () => {
  const counts = { unread: 0, workflows: [{ workflowId: "old", runs: { failed: 2 } }] };
  expect(workflowRows([{ id: "new", version: "1" }], counts)).toEqual([
    { id: "new", served: [{ id: "new", version: "1" }], runs: {} },
    { id: "old", served: [], runs: { failed: 2 } },
  ]);
  const many = { unread: 0, workflows: [...counts.workflows, { workflowId: "other", runs: { failed: 1 } }] };
  expect(workflowRows([{ id: "new" }], many).map(({ id, runs }) => [id, runs])).toEqual([
    ["new", undefined],
    ["old", { failed: 2 }],
  ]);
  expect(workflowRows([{ id: "new" }], undefined)[0]?.runs).toBeUndefined();
});
