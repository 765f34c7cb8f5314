/** One open ask, whose whole text is read when it is opened. */
import { expect, test, vi } from "vitest";
import type { OpenAsk } from "../../src/approvals/approval.ts";

const LISTED: OpenAsk = {
  runId: "r",
  workflowId: "w",
  op: "token/0/token",
  tokenId: "t",
  title: "Number?",
  assignees: [],
  truncated: true,
};
const ASK = { title: "Number?", schema: { type: "integer" } };
const RECORD = {
  id: "r",
  workflowId: "w",
  status: "waiting",
  pendingWaitpoints: [{ id: "token/0/token", kind: "MANUAL", meta: { tokenId: "t", ask: ASK } }],
};

test("DASH5 a second reading of an ask does not replace what the reader writes since the first", async () => {
  const late = Promise.withResolvers<Response>();
  const answers = [Promise.resolve(Response.json(RECORD)), late.promise];
  vi.stubGlobal("sessionStorage", { getItem: () => null });
  vi.stubGlobal("location", { origin: "http://127.0.0.1" });
  vi.stubGlobal("fetch", () => answers.shift());
  try {
    const { AskState } = await import("../../src/approvals/ask-state.ts");
    const state = new AskState(LISTED);
    const [first, second] = [state.load(), state.load()];
    await first;
    expect(state.draft.value).toEqual({ kind: "text", text: "" });
    state.draft.value = { kind: "text", text: "7" };
    late.resolve(Response.json(RECORD));
    await second;
    expect(state.draft.value).toEqual({ kind: "text", text: "7" });
  } finally {
    vi.unstubAllGlobals();
  }
});
