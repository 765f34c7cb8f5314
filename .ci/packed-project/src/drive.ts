/** What a caller does with the typed client, on any platform. Throws if an answer is wrong. */
import { ApiError, ConnectionError, createClient } from "@holdfast/workflows/client";
import { order } from "./order.js";

export async function drive(url: string, token: string): Promise<string> {
  const client = createClient({ url, token });
  if (!(await client.healthy())) throw new Error("The server is not healthy.");
  const run = await client.trigger(order, { orderId: "o-1", cents: 4200 });
  const seen = follow(run.stream());
  await run.signal("approval", { ok: true });
  const { orderId, cents, quantity } = await run.result();
  if (orderId !== "o-1" || cents !== 4200 || quantity !== 1) throw new Error("The result is wrong.");
  const events = await seen;
  if (events.length === 0) throw new Error("The stream has no events.");
  const missing: unknown = await client
    .run("missing")
    .get()
    .catch((error: unknown) => error);
  if (!(missing instanceof ApiError) || missing.status !== 404) throw new Error(`Not refused: ${String(missing)}`);
  const nobody = createClient({ url: "http://127.0.0.1:1", token, attempts: 1 });
  const unreachable: unknown = await nobody.list().catch((error: unknown) => error);
  if (!(unreachable instanceof ConnectionError)) throw new Error(`Reached: ${String(unreachable)}`);
  return `a run of ${events.length} events: ${[...new Set(events)].join(", ")}`;
}

async function follow(stream: AsyncIterable<{ readonly type: string }>): Promise<readonly string[]> {
  const types: string[] = [];
  for await (const { type } of stream) types.push(type);
  return types;
}
