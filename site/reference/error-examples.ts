/**
 * Programs for the pages of error codes: each one shows how code meets the error, or what to do about it.
 *
 * Owns: whole modules, which a test compiles as it does every page.
 */
import type { ErrorCode } from "@holdfast/protocol";

const IMPORT = 'import { workflow } from "@holdfast/workflows";';

function inWorkflow(body: string, imports = IMPORT): string {
  const lines = body
    .trim()
    .split("\n")
    .map((line) => `    ${line}`);
  return `${imports}\n\nexport const order = workflow({\n  id: "order",\n  run: async (_input, ctx) => {\n${lines.join("\n")}\n  },\n});`;
}

const WITH = (name: string): string => `import { ${name}, workflow } from "@holdfast/workflows";`;

/** What to do: a program without the error. */
export const ERROR_EXAMPLES: Readonly<Partial<Record<ErrorCode, string>>> = {
  CANCELLED: inWorkflow(`
const seat = await ctx.step("reserve", () => "12A");
try {
  await ctx.sleep("7d");
} finally {
  await ctx.shielded(({ step }) => step("release", () => console.log("released", seat)));
}`),
  CHILD_RUN_FAILED: `${WITH("ChildRunError")}

const charge = workflow({ id: "charge", run: async (_input, ctx) => ctx.step("pay", () => "paid") });

export const order = workflow({
  id: "order",
  run: async (_input, ctx) => {
    try {
      return await ctx.invoke(charge, {});
    } catch (error) {
      if (!(error instanceof ChildRunError)) throw error;
      return "unpaid";
    }
  },
});`,
  COMPENSATED: inWorkflow(`
await ctx.step("reserve", { compensate: () => console.log("released") }, () => "12A");
if ((await ctx.waitForSignal("confirm", { timeout: "1d" })) === null) await ctx.compensate();`),
  FATAL: inWorkflow(
    `
await ctx.step("load", async () => {
  const answer = await fetch("https://shop.example/orders/17");
  if (answer.status === 404) throw new FatalError("The order does not exist.");
  return answer.text();
});`,
    WITH("FatalError"),
  ),
  LIMIT_EXCEEDED: inWorkflow(`
const ids = Array.from({ length: 50_000 }, (_, i) => i);
await ctx.parallel(ids, (id) => ctx.step(\`send \${id}\`, () => id), { concurrency: 100 });`),
  NESTED_OPERATION: inWorkflow(`
const seat = await ctx.step("reserve", () => "12A");
await ctx.step("charge", () => console.log("charged", seat));`),
  NON_DETERMINISM: `${IMPORT}

// Runs in flight keep the first one. New runs start with the second one.
export const first = workflow({ id: "order", run: async (_input, ctx) => ctx.step("charge", () => "paid") });

export const second = workflow({
  id: "order",
  version: "2",
  run: async (_input, ctx) => {
    await ctx.step("reserve", () => "12A");
    return ctx.step("charge", () => "paid");
  },
});`,
  RELEASED: inWorkflow(`
for (let reminder = 1; reminder <= 3; reminder++) {
  // Each race has operations of its own.
  const first = await ctx.race({ answer: ctx.waitForSignal("answer"), pause: ctx.sleep("1d") });
  if (first.name === "answer") return first.value;
  await ctx.step("remind", () => console.log("reminder", reminder));
}
return null;`),
  RETRYABLE: inWorkflow(
    `
await ctx.step("load", { retry: { max: 5 } }, async () => {
  const answer = await fetch("https://shop.example/orders/17");
  if (answer.status === 429) throw new RetryableError("The shop asked for a pause.", { retryAfter: "1m" });
  return answer.text();
});`,
    WITH("RetryableError"),
  ),
  SHIELDED_OPERATION: inWorkflow(`
try {
  await ctx.waitForSignal("done");
} finally {
  await ctx.shielded(({ step }) => step("release", () => console.log("released")));
}`),
  STEP_INTERRUPTED: inWorkflow(`
try {
  await ctx.step("charge", { once: true }, () => console.log("charged"));
} catch (error) {
  if ((error as { code?: string }).code !== "STEP_INTERRUPTED") throw error;
  await ctx.step("look up the charge", () => console.log("was it charged?"));
}`),
  TIMEOUT: inWorkflow(
    `
try {
  return await ctx.waitForSignal("approve", { timeout: "3d", onTimeout: "throw" });
} catch (error) {
  if (!(error instanceof TimeoutError)) throw error;
  return ctx.step("escalate", () => "escalated");
}`,
    WITH("TimeoutError"),
  ),
  TOKEN_IN_USE: inWorkflow(`
for (const person of ["ada", "grace"]) {
  await ctx.waitForToken({ tokenId: \`approve-\${person}\`, timeout: "1d" }).wait();
}`),
  TOO_LARGE: inWorkflow(`
const key = await ctx.step("export", async () => {
  const rows = await fetch("https://shop.example/rows").then((answer) => answer.arrayBuffer());
  await fetch("https://files.example/export-17", { method: "PUT", body: rows });
  return "export-17";
});
await ctx.step("send", () => console.log("sent", key));`),
  UNSERIALIZABLE: inWorkflow(`
const total = await ctx.step("load", async () => {
  const answer = await fetch("https://shop.example/orders/17");
  const order = (await answer.json()) as { total: number };
  return { total: order.total };
});
await ctx.step("charge", () => console.log("charged", total));`),
  WORKFLOW_TIMEOUT: `${IMPORT}

export const order = workflow({
  id: "order",
  timeout: "30d",
  run: async (_input, ctx) => {
    await ctx.waitForSignal("approve", { timeout: "7d" });
  },
});`,
};
