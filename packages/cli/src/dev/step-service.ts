/**
 * The service that executes the steps of `--steps`.
 *
 * Owns: whether it answers, which is said once for each change. The request is the one that the orchestrator sends for the
 * list of workflows, so a wrong path, key or audience is found too.
 */
import { createHttpDispatcher } from "@holdfast/orchestrator-cloudflare";

const EVERY_MS = 1_000;
const TIMEOUT_MS = 5_000;

export interface StepServiceEvents {
  up(workflows: readonly string[]): void;
  down(reason: string): void;
}

/** Asks until `signal` aborts. */
export async function watchStepService(
  { url, signingKey }: { readonly url: string; readonly signingKey: string },
  events: StepServiceEvents,
  signal: AbortSignal,
): Promise<void> {
  const dispatcher = createHttpDispatcher({ url, signingKey, timeoutMs: TIMEOUT_MS });
  let said: string | undefined;
  while (!signal.aborted) {
    try {
      const ids = (await dispatcher.workflows()).map(({ id }) => id);
      const now = `up ${ids.join(" ")}`;
      if (said !== now) events.up(ids);
      said = now;
    } catch (error) {
      if (said !== "down") events.down(reasonOf(error));
      said = "down";
    }
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, EVERY_MS);
      signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
    });
  }
}

function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  const { code } = Object(cause) as NodeJS.ErrnoException;
  return code === undefined || message.includes(code) ? message : `${message} (${code})`;
}
