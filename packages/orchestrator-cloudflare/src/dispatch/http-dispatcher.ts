/**
 * Workflow code anywhere, behind HTTP: a Node process, say, that serves `createStepHandler`.
 */
import { HoldfastError, type StepDispatcher, checkFields } from "@holdfast/protocol";
import { checkSigningKey } from "@holdfast/protocol/transport";
import { TurnExecution } from "./turn-execution.ts";
import { type TurnPipe, listOver, postOver } from "./turn-transport.ts";

export interface HttpDispatcherOptions {
  /** Where the step handler is mounted: `https://steps.example.com/holdfast`. */
  readonly url: string;
  /** The secret that requests are signed with: one of the handler's `signingKeys`. */
  readonly signingKey: string;
  /** How long an answer may take, ms: longer than the handler's `holdMs`. Default 30,000. */
  readonly timeoutMs?: number;
  /** For tests, and for whoever needs another way out. */
  readonly fetch?: (request: Request) => Promise<Response>;
}

const TIMEOUT_MS = 30_000;

/** @throws HoldfastError `INVALID_ARGUMENT` for a bad URL or key. */
export function createHttpDispatcher(options: HttpDispatcherOptions): StepDispatcher {
  checkFields(options, ["url", "signingKey", "timeoutMs", "fetch"], "createHttpDispatcher");
  const { url, signingKey, timeoutMs = TIMEOUT_MS, fetch: send = (request: Request) => fetch(request) } = options;
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new HoldfastError(
      "INVALID_ARGUMENT",
      `createHttpDispatcher.url: must be an http or https URL, is ${JSON.stringify(url)}.`,
    );
  }
  checkSigningKey(signingKey);
  const pipe: TurnPipe = {
    fetch: send,
    url,
    key: signingKey,
    timeoutMs,
    name: `The step handler at ${new URL(url).host}`,
  };
  return {
    start: (start, port) => new TurnExecution(start, port, postOver(pipe)),
    workflows: async () => (await listOver(pipe)).workflows,
  };
}
