/**
 * `node restate-side.ts <port>`: the Node service with the workflow that Restate calls.
 *
 * Owns: the same work as that of Holdfast, and a message to the parent process when a run reaches its wait.
 */
import { resultOf } from "../workers/workflows.ts";
import { importPeer } from "./install.ts";
import type { Work } from "./system.ts";

interface Context {
  readonly key: string;
  run(name: string, action: () => unknown): Promise<unknown>;
  promise(name: string): PromiseLike<unknown> & { resolve(): Promise<void> };
}

interface Sdk {
  workflow(definition: object): unknown;
  serve(options: { readonly services: readonly unknown[]; readonly port: number }): Promise<number>;
}

const sdk = (await importPeer("@restatedev/restate-sdk")) as Sdk;

async function run(ctx: Context, { n, chars, waits }: Work): Promise<number> {
  const results: unknown[] = [];
  for (let i = 0; i < n; i++) results.push(await ctx.run("step", () => resultOf(i, chars)));
  if (waits) {
    process.send?.({ waits: ctx.key });
    await ctx.promise("go");
  }
  return n;
}

const signal = (ctx: Context): Promise<void> => ctx.promise("go").resolve();

await sdk.serve({
  services: [sdk.workflow({ name: "bench", handlers: { run, signal } })],
  port: Number(process.argv[2]),
});
process.send?.({ serves: true });
