/**
 * The answer of a handler without sessions, which may take as long as the bodies of the turn.
 *
 * Owns: the blanks before the answer. They are signs of life (DUR11), and keep proxies from ending the request.
 */
import type { TurnAnswer, TurnContent } from "@holdfast/protocol";
import type { Platform } from "../replay/platform.ts";
import type { Session } from "./session.ts";

/** Interval between two blanks, ms. */
const BLANK_MS = 5_000;

export const NO_STORE: Readonly<Record<string, string>> = { "Cache-Control": "no-store" };

/** Answers at once. The body follows when the execution has reported, after blanks, which JSON allows. */
export function streamAnswer(
  session: Session,
  platform: Platform,
  toMessage: (content: TurnContent) => TurnAnswer,
): Response {
  const encoder = new TextEncoder();
  let stopBlanks: (() => void) | undefined;
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      const sendBlanks = (): void => {
        stopBlanks = platform.setTimer(BLANK_MS, () => {
          controller.enqueue(encoder.encode(" "));
          sendBlanks();
        });
      };
      sendBlanks();
      void session.onlyTurn().then((content) => {
        stopBlanks?.();
        if (cancelled) return;
        controller.enqueue(encoder.encode(JSON.stringify(toMessage(content))));
        controller.close();
      });
    },
    // The orchestrator is gone, or has replaced the execution.
    cancel() {
      cancelled = true;
      stopBlanks?.();
      session.drop();
    },
  });
  return new Response(body, { headers: { "Content-Type": "application/json", ...NO_STORE } });
}
