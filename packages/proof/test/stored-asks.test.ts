/** tests: a stored run with open asks, as an earlier commit wrote its rows (VER1) */
import { readFileSync } from "node:fs";
import { workflow } from "@holdfast/workflows";
import { MemoryHost, MemoryStore } from "@holdfast/workflows/testing";
import { expect, test } from "vitest";

/** The rows of a run of `asking`, by key: one small ask and one in the row of its wait. Never changes. */
const FIXTURE = new URL("fixtures/asks-format-1.json", import.meta.url);

const asking = workflow({
  id: "asking",
  run: async (_input, ctx) => {
    const choices = [{ label: "Yes", value: "yes" }] as const;
    const small = ctx.waitForToken({ tokenId: "small", ask: { title: "Well?", choices, assignees: ["ann"] } });
    const schema = { type: "object", properties: { cents: { type: "integer" } }, required: ["cents"] };
    const large = ctx.waitForToken({
      tokenId: "large",
      ask: { title: "How much?", details: "x".repeat(3_000), schema },
    });
    return [await small.wait(), await large.wait()];
  },
});

function stored(): MemoryHost {
  const rows = JSON.parse(readFileSync(FIXTURE, "utf8")) as Readonly<Record<string, object>>;
  const store = new MemoryStore();
  for (const [key, row] of Object.entries(rows)) store.overwrite(key, row);
  return new MemoryHost({ workflows: [asking], store });
}

test("VER1 ASK4 the asks of a stored run are open, checked and answered", async () => {
  const host = stored();
  expect(host.header.waits.map(({ ask }) => ask?.title)).toEqual(["Well?", "How much?"]);
  expect(host.resolveToken("small", "no")).toMatchObject({ code: "invalid_answer" });
  expect(host.resolveToken("large", { cents: "many" })).toMatchObject({ code: "invalid_answer" });
  expect(host.resolveToken("large", { cents: 1 })).toMatchObject({ type: "delivered" });
  expect(host.resolveToken("small", "yes")).toMatchObject({ type: "delivered" });
  await host.advance();
  expect(host.output).toEqual(["yes", { cents: 1 }]);
});

test("VER4 code that does not know the feature asks shows such a run, and accepts no answer", () => {
  const host = stored();
  // As code would see it that does not know one of the features.
  const header = host.store.get("record") as { readonly uses: readonly string[] };
  expect(header.uses).toContain("asks");
  host.store.overwrite("record", {
    ...header,
    uses: header.uses.map((name) => (name === "asks" ? "of newer code" : name)),
  });
  host.crash();
  expect(host.resolveToken("small", "yes")).toMatchObject({ type: "refused", code: "newer_format" });
});
