/** A Worker that logs texts that would break lines, in place of that of the executable. */
import { logStart } from "../start-log.ts";

const HOSTILE = 'red \u001b[31m\r\n{"time":"now","level":"error","message":"forged"}\u0000\u2028 "\\';

class Idle {
  fetch(): Response {
    return new Response();
  }
}

export { Idle as CoordinatorDO, Idle as RunIndexDO, Idle as WorkflowRunDO };

function fail(): never {
  throw new Error("this error has no text");
}

function logAll(): void {
  console.log(HOSTILE);
  console.debug("%s and %d", "text", 4, { nested: { items: [1] } });
  console.warn("failed", new Error("of code\nsecond line"));
  console.error(JSON.stringify({ message: HOSTILE, runId: "r", data: { order: { id: 7, items: ["a", null] } } }));
  console.log(JSON.stringify({ type: "run.ended", level: "warn", time: "forged", tenantId: "acme" }));
  process.stdout.write(`${HOSTILE}\nplain\n`);
  process.stderr.write(new TextEncoder().encode("to stderr\n"));
  console.error("failed", Object.defineProperty(new Error(), "stack", { get: fail }));
  process.stdout.write("", () => console.log("written"));
}

logStart();

export default {
  fetch(request: Request): Response {
    if (new URL(request.url).pathname === "/throw") throw new Error(HOSTILE);
    logAll();
    return new Response(HOSTILE);
  },
};
