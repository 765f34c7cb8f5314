/** tests: one action on many runs: the requests, a stop, refusals, and what ends the rest (ACT5) */
import { ApiError, type Client } from "@holdfast/workflows/client";
import { expect, test } from "vitest";
import { type BulkAction, type Progress, actOnMany } from "../../src/act/bulk.ts";
import { bulkCommand, firstRequest } from "../../src/act/bulk-request.ts";
import { commandText } from "../../src/act/shell.ts";

const ids = (count: number): string[] => Array.from({ length: count }, (_, n) => `r${n}`);

/** A client that notes its requests. `answer` may throw. */
class FakeClient {
  readonly requests: string[] = [];
  inFlight = 0;
  most = 0;
  answer: (id: string) => void = () => {};

  run(id: string) {
    return { delete: () => this.#one(`delete ${id}`, id), pause: () => this.#one(`pause ${id}`, id) };
  }

  async bulk(body: { readonly ids: readonly string[] }) {
    await this.#one(`bulk ${body.ids.length}`, body.ids[0] ?? "");
    const refused = body.ids
      .filter((id) => id === "r150")
      .map((id) => ({ id, error: "run_terminal", message: "ended" }));
    return { asked: body.ids.length, done: body.ids.length - refused.length, refused, nextCursor: null };
  }

  async #one(what: string, id: string): Promise<void> {
    this.requests.push(what);
    this.inFlight += 1;
    this.most = Math.max(this.most, this.inFlight);
    await new Promise((resolve) => setImmediate(resolve));
    this.inFlight -= 1;
    this.answer(id);
  }
}

async function act(client: FakeClient, action: BulkAction, count: number, stopAfter = Infinity): Promise<Progress> {
  let seen = 0;
  return actOnMany(client as unknown as Client, {
    action,
    ids: ids(count),
    reason: undefined,
    isStopped: () => seen >= stopAfter,
    onProgress: ({ done, refused }) => (seen = done + refused.length),
  });
}

test("ACT5 a cancel takes a hundred runs a request, and lists each refusal", async () => {
  const client = new FakeClient();
  const progress = await act(client, "cancelRun", 250);
  expect(client.requests).toEqual(["bulk 100", "bulk 100", "bulk 50"]);
  expect(progress).toEqual({ done: 249, refused: [{ id: "r150", message: "ended" }] });
});

test("ACT5 an action without a bulk request has eight requests in flight, and a refusal does not stop the others", async () => {
  const client = new FakeClient();
  client.answer = (id) => {
    if (id === "r3") throw new ApiError("DELETE /", 409, "run_not_ended", "has not ended");
  };
  expect(await act(client, "deleteRun", 50)).toEqual({ done: 49, refused: [{ id: "r3", message: "has not ended" }] });
  expect([client.requests.length, client.most]).toEqual([50, 8]);
});

test("ACT5 after a stop what is in flight is finished, and nothing else begins", async () => {
  const client = new FakeClient();
  const { done } = await act(client, "pauseRun", 50, 10);
  expect(client.requests.length).toBe(done);
  expect(done).toBeGreaterThanOrEqual(10);
  expect(done).toBeLessThan(20);
});

test.each([
  ["no answer", new Error("fetch failed")],
  ["a missing scope", new ApiError("DELETE /", 403, "forbidden", "needs operate")],
])("ACT5 after %s the rest is not tried", async (_name, error) => {
  const client = new FakeClient();
  client.answer = () => {
    throw error;
  };
  const progress = await act(client, "deleteRun", 50);
  expect([progress.done, progress.failure, client.requests.length]).toEqual([0, error, 8]);
});

test("ACT2 ACT5 many ids are lines of stdin, and no id ends them", () => {
  const hostile = [...ids(30), "END", "END_", "-rf", "$(id)"];
  const text = commandText(bulkCommand("deleteRun", hostile, "", "http://h")!) ?? "";
  expect(text.split("\n").at(-1)).toBe("END__");
  expect(text).toMatch(/^npx holdfast delete --url=http:\/\/h -- - <<'END__'\nr0\n/);
  expect(bulkCommand("deleteRun", ["-"], "", "http://h")).toBeUndefined();
  expect(commandText(bulkCommand("cancelRun", ["a", "b"], "it's", "http://h")!)).toBe(
    String.raw`npx holdfast cancel '--reason=it'\''s' --url=http://h -- a b`,
  );
  expect(firstRequest("cancelRun", ids(150), "x", "http://h").body).toMatchObject({ action: "cancel", reason: "x" });
});
