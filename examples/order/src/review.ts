/**
 * A review: asks for an answer by a token, and returns it. The commands of docs/http-api.md use it.
 */
import { workflow } from "@holdfast/workflows";
import * as z from "zod";

export const review = workflow({
  id: "review",
  description: "Asks for an answer by a token, and returns it.",
  input: z.object({
    text: z.string(),
    /** Whether the token needs no credentials. */
    public: z.boolean().default(false),
  }),
  run: async (input, ctx) => {
    const token = ctx.waitForToken<{ ok: boolean }>({ public: input.public, timeout: "7d" });
    ctx.metadata.set("answerAt", token.url);
    return { text: input.text, answer: await token.wait() };
  },
});
