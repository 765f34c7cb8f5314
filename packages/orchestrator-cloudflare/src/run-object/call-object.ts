/**
 * Calls of the object of a run: the only place that says how a command reaches an object.
 *
 * Owns: the choice between the method `ask` of the object's class, which takes the command as it is, and a request with the
 * command as JSON, which costs the Worker and the object more time. A class of the deployer's own may have `fetch` alone.
 *
 * Invariants
 * - CO1 Both ways give the object the same command: fields that are `undefined` are left out.
 * - CO2 Streams of events go by a request: the object learns at once that a reader has left (STR4).
 * - CO3 A command is sent twice only if the class has no such method: then the first one did nothing.
 */
import { type Answer, responseOf } from "../answer.ts";
import type { DurableObjectNamespaceLike } from "../platform-types.ts";
import type { RunRequest } from "./commands.ts";

/** The longest texts of a command or an answer that RPC takes, in characters. The platform's limit is 32 MiB. */
export const RPC_CHARS_MAX = 8_000_000;

/** Bindings whose class has no method `ask`, as this isolate has seen. */
const withoutMethod = new WeakSet<object>();

/** Sends a command to the object with this id. */
export async function callObject(
  runDO: DurableObjectNamespaceLike,
  id: unknown,
  command: RunRequest,
): Promise<Response> {
  const stub = runDO.get(id);
  const byRequest = stub.ask === undefined || command.ask === "follow" || withoutMethod.has(runDO);
  const plain = byRequest ? undefined : withoutUndefined(command);
  if (plain !== undefined) {
    try {
      const answer = (await stub.ask?.(plain)) as Answer | Response;
      return answer instanceof Response ? answer : responseOf(answer);
    } catch (error) {
      if (!lacksMethod(error)) throw error;
      withoutMethod.add(runDO);
    }
  }
  return stub.fetch(new Request("https://run.internal/", { method: "POST", body: JSON.stringify(command) }));
}

/** Workerd says which of both a class lacks: the method, or the base class `DurableObject`. */
function lacksMethod(error: unknown): boolean {
  return error instanceof TypeError && /does not (?:implement the method "ask"|support RPC)/.test(error.message);
}

/** Returns the command without the fields that JSON leaves out; `undefined` if it is too large for RPC. */
function withoutUndefined(command: RunRequest): object | undefined {
  let chars = 0;
  const copyOf = (value: unknown): unknown => {
    if (typeof value === "string") chars += value.length;
    if (typeof value !== "object" || value === null) return value;
    if (Array.isArray(value)) return value.map(copyOf);
    const copy: Record<string, unknown> = {};
    for (const [key, item] of Object.entries(value)) if (item !== undefined) copy[key] = copyOf(item);
    return copy;
  };
  const copy = copyOf(command) as object;
  return chars > RPC_CHARS_MAX ? undefined : copy;
}
