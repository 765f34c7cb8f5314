/**
 * A process whose host rejects a promise while a run exists: `node rejecting-process.ts <case>…`.
 *
 * Cases: `run` starts a run that waits; `helper` cancels it while a promise of its code waits too; `abort` adds listeners
 * to its signals that throw; `reject` and `reject-text` reject a promise of the host; `listener` and `uncaught` add a
 * listener of the host for rejections or exceptions; `sole` adds one that, like Vitest's, reports only if it is the only
 * one. The process writes "alive" if it still executes afterwards.
 */
import { workflow } from "../src/index.ts";
import { MemoryHost } from "../src/testing/index.ts";

const cases = new Set(process.argv.slice(2));

const waits = workflow({
  id: "waits",
  run: async (_input, ctx) => {
    const helper = (async () => {
      await ctx.sleep("1h");
    })();
    if (cases.has("abort")) {
      ctx.signal.addEventListener("abort", () => {
        throw new Error("in a listener");
      });
      for (const text of ["replaced", "in onabort"]) {
        const onabort = (): never => {
          throw new Error(text);
        };
        Object.assign(ctx.signal, { onabort });
      }
      const object = {
        handleEvent: () => {
          throw new Error("in an object");
        },
      };
      ctx.signal.addEventListener("abort", object);
      void ctx.step("body", ({ signal }) => {
        // oxlint-disable-next-line typescript/no-misused-promises -- authors do this
        signal.addEventListener("abort", async () => {
          await Promise.resolve();
          throw new Error("in an async listener");
        });
        const removed = (): never => {
          throw new Error("removed");
        };
        signal.addEventListener("abort", removed);
        signal.removeEventListener("abort", removed);
        return new Promise(() => {});
      });
    }
    await ctx.waitForSignal("go");
    await helper;
  },
});

if (cases.has("sole"))
  process.on("unhandledRejection", (reason) => {
    if (process.listenerCount("unhandledRejection") === 1) console.log(`sole: ${String(reason)}`);
  });
if (cases.has("listener")) process.on("unhandledRejection", (reason) => console.log(`listener: ${String(reason)}`));
if (cases.has("uncaught")) {
  process.on("uncaughtException", (error, origin) => console.log(`uncaught: ${String(error)}, ${origin}`));
}
const host = new MemoryHost({ workflows: [waits] });
if (cases.has("run")) {
  host.trigger("waits");
  await host.settle();
}
if (cases.has("helper")) {
  host.cancel();
  await host.settle();
  console.log(`logged: ${host.logged.map(({ runId }) => String(runId)).join()}`);
}
if (cases.has("reject")) void Promise.reject(new Error("of the host"));
// oxlint-disable-next-line typescript/prefer-promise-reject-errors -- authors reject with other values too
if (cases.has("reject-text")) void Promise.reject("of the host");
setImmediate(() => setImmediate(() => console.log("alive")));
