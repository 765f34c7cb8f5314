/** Data that the pages do not expect: the part that cannot be shown says so, and the rest of the page works. */
import { expect, test } from "vitest";
import { useDashboard } from "./harness/dashboard.ts";

const dashboard = useDashboard();

const RUN = { id: "r", workflowId: "w", status: "completed", createdAt: 1 };
const ENTRY = { seq: 1, at: 1, type: "step.completed", operation: { kind: "step", name: "a", occurrence: 0 } };

const FILES = {
  tags: { run: { ...RUN, tags: [{}] }, broken: "header" },
  reasons: { run: { ...RUN, why: [null] }, broken: "header" },
  steps: { run: { ...RUN, steps: [null] }, broken: "timeline" },
  audit: { run: RUN, audit: [null], broken: "audit" },
} as const;

test.each(Object.entries(FILES))(
  "a file with broken %s shows what it can, and says what it cannot show",
  async (name, { broken, ...file }) => {
    const page = await dashboard.open("/ui/open");
    const text = JSON.stringify({ format: "holdfast.run/1", exportedAt: 1, journal: [ENTRY], ...file });
    await page
      .locator("input[type=file]")
      .setInputFiles({ name: `${name}.json`, mimeType: "application/json", buffer: Buffer.from(text) });
    if (broken === "audit") await page.getByRole("button", { name: "Audit" }).click();
    await page.getByText("This part cannot be shown.").waitFor();
    expect(dashboard.takeProblems().join()).toMatch(/TypeError/);
    await page.getByRole("button", { name: "Journal" }).click();
    await page.getByRole("button", { name: "step.completed" }).waitFor();
    await page.getByRole("link", { name: "Runs", exact: true }).click();
    await page.getByText("No runs yet").waitFor();
  },
);
