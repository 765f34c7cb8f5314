/** `node remote-process.ts <port> <key>`: a Node process with a workflow of which one run at a time executes. It counts bodies. */
import { setTimeout as delay } from "node:timers/promises";
import { serve } from "@hono/node-server";
import { limit, workflow } from "@holdfast/workflows";
import { createStepHandler } from "@holdfast/workflows/handler";

const [port = "0", key = ""] = process.argv.slice(2);
let executing = 0;
let most = 0;

const one = workflow({
  id: "one",
  limits: [limit("desk", { max: 1 }).hold("run")],
  run: async (_input, ctx) => {
    for (const name of ["first", "second"])
      await ctx.step(name, async () => {
        executing += 1;
        most = Math.max(most, executing);
        await delay(50);
        executing -= 1;
      });
  },
});

const handler = createStepHandler({
  workflows: [one],
  signingKeys: [key],
  audience: `http://127.0.0.1:${port}/holdfast`,
});
process.on("message", () => process.send?.({ most }));
process.on("disconnect", () => process.exit());
serve({ fetch: handler, port: Number(port), hostname: "127.0.0.1" }, () => process.send?.("ready"));
