/** A tenant's Worker: its own code, uploaded into the dispatch namespace. */
import { workflow } from "@holdfast/workflows";
import { createStepHandler } from "@holdfast/workflows/handler";

const hello = workflow({ id: "hello", run: (_input: unknown, ctx) => ctx.step("say", () => "acme says hello") });

export default { fetch: createStepHandler({ workflows: [hello], signingKeys: "unsigned" }) };
