/**
 * The examination of `holdfast doctor`.
 *
 * Owns: the order of the questions. A failure ends the examination only if no later question could be answered.
 */
import type { Client } from "@holdfast/workflows/client";
import { asApiFailure } from "../exit.ts";
import type { Session } from "../session.ts";
import { readVersion } from "../version.ts";
import { type Finding, failureOf, judgeDeployment, judgeHealth, ok } from "./findings.ts";

export async function* examine(session: Session): AsyncGenerator<Finding> {
  const { url, from, profile, tokenFrom } = await session.target();
  yield ok("target", `${url}, from ${from}${profile === undefined ? "" : `, profile ${profile}`}.`);
  const client = await session.connect({ attempts: 2, timeoutMs: 15_000 });
  try {
    yield* judgeHealth(await client.health(), readVersion());
  } catch (error) {
    if (session.io.signal.aborted) throw error;
    return yield failureOf("server", error);
  }
  const token = await tryOut("token", () => client.workflows(), tokenFrom);
  yield (
    token.failure ??
    ok(
      "token",
      tokenFrom === undefined
        ? "The server accepts requests without a token."
        : `The token from ${tokenFrom} is accepted.`,
    )
  );
  // A step handler that cannot be reached is reported as itself: the token was accepted.
  if (token.value === undefined && !["dispatcher_unreachable", "forbidden", "internal_error"].includes(token.code))
    return;
  if (token.value !== undefined) yield workflowsFinding(token.value.length);
  const listed = await tryOut("index", () => client.list({ limit: 1 }));
  yield listed.failure ?? ok("index", "Runs can be listed.");
  yield* examineDeployment(session, client, url);
}

function workflowsFinding(count: number): Finding {
  if (count > 0) return ok("workflows", `The deployment serves ${count} ${count === 1 ? "workflow" : "workflows"}.`);
  return {
    check: "workflows",
    status: "warning",
    message: "The deployment serves no workflow.",
    remedy: "Add one to its list of workflows.",
  };
}

async function* examineDeployment(session: Session, client: Client, url: string): AsyncGenerator<Finding> {
  const before = session.io.now();
  const { value, failure, code } = await tryOut("deployment", () => client.deployment());
  if (value !== undefined) yield* judgeDeployment(value, url, (before + session.io.now()) / 2);
  else if (code === "forbidden" || code === "route_not_found")
    yield {
      check: "deployment",
      status: "skipped",
      message: "Storage, compatibility date, clock, PUBLIC_URL and access were not examined.",
      remedy:
        code === "forbidden"
          ? "Use a token with the scope admin to examine them."
          : "This server is too old to describe them.",
    };
  else if (failure !== undefined) yield failure;
}

interface Outcome<T> {
  readonly value?: T;
  readonly failure?: Finding;
  readonly code: string;
}

async function tryOut<T>(check: string, work: () => Promise<T>, tokenFrom?: string): Promise<Outcome<T>> {
  try {
    return { value: await work(), code: "" };
  } catch (error) {
    const code = asApiFailure(error)?.code ?? "";
    return { failure: failureOf(code === "dispatcher_unreachable" ? "step-handler" : check, error, tokenFrom), code };
  }
}
