/** tests: answers of a step handler that the network divides into chunks (STEP5) */
import { workflow } from "@holdfast/workflows";
import { expect, test } from "vitest";
import { Network, trigger, until } from "./handler-network.ts";

const RESULT = `a${" ".repeat(5)}\u00a0${" ".repeat(5)}b`;

const blanks = workflow({
  id: "blanks",
  run: (_input, ctx) => ctx.step("blanks", () => RESULT),
});

/** Sends each byte as a chunk of its own, after blanks as signs of life. */
function inBytes(text: string): Response {
  const bytes = new TextEncoder().encode(`   ${text}`);
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (let place = 0; place < bytes.length; place++) controller.enqueue(bytes.slice(place, place + 1));
      controller.close();
    },
  });
  return new Response(body, { headers: { "Content-Type": "application/json" } });
}

test.each([false, true])(
  "STEP5 blanks in a result are none of the signs of life before an answer, however it is divided (stateless: %s)",
  async (stateless) => {
    const network = new Network({ workflows: [blanks], stateless });
    network.breaks = async (_number, _request, pass) => inBytes(await (await pass()).text());
    const api = network.deploy();
    await trigger(api, "blanks");
    expect(await until(api, "completed")).toMatchObject({ output: RESULT });
  },
);
