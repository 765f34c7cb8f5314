/**
 * A review: asks for an answer by a token, and returns it. The commands of docs/reference/http-guide.md use it.
 */
import { type AskOptions, workflow } from "@holdfast/workflows";
import * as z from "zod";

/** What an editor answers. The engine refuses any other answer, and the question stays open. */
const verdict = z.object({
  ok: z.boolean().meta({ title: "It is ready" }),
  note: z.string().max(500).optional().meta({ title: "What is missing?" }),
});

export const review = workflow({
  id: "review",
  description: "Asks for an answer by a token, and returns it.",
  input: z.object({
    text: z.string().max(200),
    /** Whether the token needs no credentials. */
    public: z.boolean().default(false),
  }),
  run: async (input, ctx) => {
    const ask = { title: input.text, schema: verdict, assignees: ["role:editors"], risk: "low" } satisfies AskOptions;
    const token = ctx.waitForToken({ ask, public: input.public, timeout: "7d" });
    ctx.metadata.set("answerAt", token.url);
    return { text: input.text, answer: await token.wait() };
  },
});
