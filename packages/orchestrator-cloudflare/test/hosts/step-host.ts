/**
 * A process that serves steps on a host of its choice: `<runtime> step-host.ts <host> <port> <key>`. It writes a line for
 * each thing that a test waits for, and ends gently on SIGTERM.
 */
import { workflow } from "@holdfast/workflows";
import { type StepHandler, createStepHandler } from "@holdfast/workflows/handler";
import process from "node:process";

const [host = "", port = "0", key = ""] = process.argv.slice(2);
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const steps = workflow({
  id: "steps",
  run: async ({ n, chars }: { n: number; chars: number }, ctx) => {
    for (let i = 0; i < n; i++) await ctx.step("step", () => (say("body"), `${i}é${"x".repeat(chars)}`));
    return "done";
  },
});
/** The body ends when the process gets SIGTERM. */
const holds = workflow({
  id: "holds",
  run: async (_input, ctx) => {
    await ctx.step("holds", async () => {
      say("holds");
      await new Promise((resolve) => process.once("SIGTERM", () => setTimeout(resolve, 50)));
      return "held";
    });
    return ctx.step("last", () => (say(`last in ${process.pid}`), "done"));
  },
});
/** Rejects promises that nothing handles: of its function, and of a body. */
const strays = workflow({
  id: "strays",
  run: async (_input, ctx) => {
    void Promise.reject(new Error("of the function"));
    await ctx.step("body", async () => {
      void Promise.reject(new Error("of a body"));
      await new Promise((resolve) => setTimeout(resolve, 20));
    });
    return "done";
  },
});

const real = createStepHandler({
  workflows: [steps, holds, strays],
  signingKeys: [key],
  audience: `http://127.0.0.1:${port}/holdfast`,
});
/** Says what arrives. */
const handler: StepHandler = Object.assign(
  (request: Request) => {
    say(`request ${request.method}`);
    return real(request);
  },
  {
    connect: async (request: Request) => {
      const reply = await real.connect(request);
      say(reply instanceof Response ? `refused ${reply.status}` : "connection");
      return reply;
    },
    drain: () => real.drain(),
  },
);

const at = { port: Number(port), hostname: "127.0.0.1" };
const { hosts } = await import(`./${host.split("-")[0]}.ts`);
const close: () => unknown = await hosts[host](handler, at);
process.on("SIGTERM", () => void end());

async function end(): Promise<void> {
  await handler.drain();
  say("drained");
  await close();
  process.exit(0);
}

say("ready");
