/**
 * Values and errors as code makes them, at every place where a run takes one.
 *
 * Owns: the cases, and a workflow that uses one of them as a result, a thrown value, metadata, a chunk, progress, the input of
 * a child, a line of the log, the result of a compensation, and the end of the run.
 */
import { encodeValue } from "@holdfast/protocol";
import { type WorkflowContext, workflow } from "@holdfast/workflows";

const throws = (): never => {
  throw new Error("trap");
};

function revoked(target: object): object {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

/** A list in which each error leads to the next one: shallow, and a long way from the first. */
function linked(count: number, make: () => Error): readonly Error[] {
  const all = Array.from({ length: count }, make);
  for (const [at, one] of all.entries()) one.cause = all[at + 1];
  return all;
}

function cyclic(): object {
  const map = new Map<unknown, unknown>([[{ key: 1 }, new Set([undefined, null, -0, NaN])]]);
  map.set(map, [map, 2n]);
  return map;
}

function causedByItself(): Error {
  const error = new Error("cyclic");
  error.cause = error;
  return error;
}

/** Each makes a new value. */
export const ODD: Readonly<Record<string, () => unknown>> = {
  "a cyclic map": cyclic,
  "a function whose text throws": () => Object.assign(() => 1, { toString: throws }),
  "a revoked function": () => revoked(() => 1),
  "600 linked errors": () => linked(600, () => new Error("e")),
  "a code without a message": () => Object.assign(new Error(""), { code: "X" }),
  "a message that is an object": () => Object.assign(new Error("m"), { message: { a: 1 } }),
  "a name without a text": () => Object.assign(new Error("m"), { name: Object.create(null) as unknown }),
  "an error that is its own cause": causedByItself,
  "an error of the platform": () => new DOMException("stop", "AbortError"),
};

/** What code sees of a value. */
function seenOf(value: unknown): string {
  try {
    return encodeValue(value, "seen").slice(0, 20_000);
  } catch (error) {
    return `cannot be seen: ${String(error)}`;
  }
}

const echoes = workflow({ id: "odd-echoes", run: (input: unknown) => input });

async function useAll(make: () => unknown, ctx: WorkflowContext): Promise<string[]> {
  ctx.setRetry({ max: 1 });
  const uses: (() => Promise<unknown>)[] = [
    () => ctx.step("result", () => make()),
    () =>
      ctx.step("thrown", () => {
        throw make();
      }),
    () => ctx.step("rejected", { retry: { max: 2, initial: 1 } }, () => Promise.reject(make())),
    async () => ctx.metadata.set("fact", make()),
    async () => ctx.metadata.append("list", make()),
    () => ctx.stream("chunks", () => ["first", make(), "last"]),
    () => ctx.step("progress", ({ progress }) => progress(make())),
    () => ctx.invoke(echoes, make()),
    () =>
      ctx.group("group", async () => {
        await ctx.step("undone", { compensate: () => make() }, () => 1);
        await ctx.step("not undone", { compensate: () => Promise.reject(make()) }, () => 1);
        throw make();
      }),
  ];
  const seen: string[] = [];
  for (const use of uses) seen.push(await Promise.resolve().then(use).then(seenOf, seenOf));
  return seen;
}

export interface OddInput {
  readonly name: string;
  readonly end: "returns" | "throws";
}

export const oddWorkflows = [
  echoes,
  workflow({
    id: "odd",
    run: async ({ name, end }: OddInput, ctx) => {
      const make = ODD[name] ?? ((): unknown => undefined);
      const seen = await useAll(make, ctx);
      const live = await ctx.step("seen", () => seen);
      await ctx.waitForSignal("go");
      if (JSON.stringify(live) !== JSON.stringify(seen)) return { live, seen };
      if (end === "throws") throw make();
      return make();
    },
  }),
];
