/**
 * The service that executes the steps of `--steps`.
 *
 * Owns: whether it answers, which is said once for each change. The request is the one that the orchestrator sends for the
 * list of workflows, so a wrong path, key or audience is found too.
 */
import { createHttpDispatcher } from "@holdfast/orchestrator-cloudflare";
import { UsageError } from "../exit.ts";

const EVERY_MS = 1_000;
const TIMEOUT_MS = 5_000;

export interface StepServiceEvents {
  up(workflows: readonly string[]): void;
  down(reason: string): void;
}

export type StepService = ReturnType<typeof createHttpDispatcher>;

/** @throws UsageError for a URL or a key that no request can have. */
export function stepServiceAt(url: string, signingKey: string): StepService {
  try {
    return createHttpDispatcher({ url, signingKey, timeoutMs: TIMEOUT_MS, fetch: fetchWithCause });
  } catch (error) {
    throw new UsageError(`--steps with STEP_SIGNING_KEY: ${(error as Error).message}`);
  }
}

/** Asks until `signal` aborts. */
export async function watchStepService(
  service: StepService,
  events: StepServiceEvents,
  signal: AbortSignal,
): Promise<void> {
  /** What was said last: each state is said once. */
  let said: string | undefined;
  while (!signal.aborted) {
    try {
      const ids = (await service.workflows()).map(({ id }) => id);
      const now = `up ${ids.join(" ")}`;
      if (said !== now) events.up(ids);
      said = now;
    } catch (error) {
      const reason = `${(error as Error).message.replace(/[.]$/, "")}.`;
      if (said !== reason) events.down(reason);
      said = reason;
    }
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, EVERY_MS);
      signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
    });
  }
}

/** The first cause of a failure says more than "fetch failed". */
async function fetchWithCause(request: Request): Promise<Response> {
  try {
    return await fetch(request);
  } catch (error) {
    let cause = error as Error;
    while (cause.cause instanceof Error) cause = cause.cause;
    // Several addresses were tried: the message is empty then.
    throw new TypeError(cause.message || ((cause as NodeJS.ErrnoException).code ?? "no connection"), { cause: error });
  }
}
