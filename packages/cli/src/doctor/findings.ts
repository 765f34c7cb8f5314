/**
 * What `holdfast doctor` finds: a judgement of facts, each with its remedy (CLI2).
 *
 * Owns: the judgement. It asks nothing itself.
 */
import type { DeploymentInfo, Health } from "@holdfast/workflows/client";
import { EXIT, type ExitCode, asApiFailure, exitCodeOf, remedyForToken } from "../exit.ts";
import { duration } from "../output/times.ts";

export interface Finding {
  readonly check: string;
  readonly status: "ok" | "warning" | "failed" | "skipped";
  readonly message: string;
  /** What to do. */
  readonly remedy?: string;
  /** Of a failed check: the exit code. */
  readonly exit?: ExitCode;
}

const CLOCK_MS_MAX = 5_000;

export function ok(check: string, message: string): Finding {
  return { check, status: "ok", message };
}

function warning(check: string, message: string, remedy: string): Finding {
  return { check, status: "warning", message, remedy };
}

function failed(check: string, message: string, remedy: string, exit: ExitCode = EXIT.refused): Finding {
  return { check, status: "failed", message, remedy, exit };
}

/** The finding for a request that failed. `tokenFrom`: where its token comes from. */
export function failureOf(check: string, error: unknown, tokenFrom?: string): Finding {
  const message = error instanceof Error ? error.message : String(error);
  const code = asApiFailure(error)?.code ?? "";
  const remedy = code === "unauthorized" ? remedyForToken(tokenFrom) : (REMEDIES[code] ?? REMEDIES["else"] ?? "");
  return failed(check, message, remedy, exitCodeOf(error));
}

const REMEDIES: Readonly<Record<string, string>> = {
  forbidden: "Use credentials with this scope: docs/how-to/secure.md lists the scopes.",
  auth_not_configured: "Set the secret API_TOKENS: wrangler secret put API_TOKENS, or the variable of the process.",
  // The message names a binding. It names no variable: any caller could read it.
  misconfigured: "Fix what the message or the server's log names, then deploy or restart.",
  internal_error: "Read the server's log: it has the reason.",
  unknown: "Check the URL: something other than Holdfast answers there.",
  dispatcher_unreachable: "Start the step handler, and check its URL and key in the deployment's dispatcher.",
  index_not_configured: 'Bind the class RunIndexDO as RUN_INDEX_DO, with "new_sqlite_classes" in a migration.',
  else: "Check the URL and the network. holdfast dev starts a server on this machine.",
};

/** The health check: versions of both sides, and an operator's hold. */
export function judgeHealth({ ok: isHealthy, version, held }: Health, own: string): readonly Finding[] {
  const [major, minor] = [own, version].map((text) => text.split(".").slice(0, 2).join("."));
  return [
    isHealthy
      ? ok("server", `It runs Holdfast ${version}.`)
      : failed(
          "server",
          "A binding is missing, or a variable is invalid.",
          "The server's log names each of them. Fix them, then deploy or restart.",
        ),
    major === minor
      ? ok("version", `The command has version ${own}, the server ${version}.`)
      : warning(
          "version",
          `The command has version ${own}, the server ${version}.`,
          `Install the same: npm install --save-dev @holdfast/cli@${version}`,
        ),
    ...(held === true
      ? [
          warning(
            "hold",
            "An operator holds the deployment: no execution begins.",
            "Unset HOLD and restart or deploy, once the reason is over.",
          ),
        ]
      : []),
  ];
}

/** The set-up, as far as the caller may see it. `askedAt`: the middle of the request, by the clock of this machine. */
export function judgeDeployment(info: DeploymentInfo, url: string, askedAt: number): readonly Finding[] {
  return [storageOf(info), compatibilityOf(info), clockOf(info, askedAt), publicUrlOf(info, url), accessOf(info, url)];
}

function storageOf({ storage }: DeploymentInfo): Finding {
  if (storage === "sqlite") return ok("storage", "The objects of runs have SQLite storage.");
  return failed(
    "storage",
    "The objects of runs fail. The most frequent reason: their class has no SQLite storage.",
    'List WorkflowRunDO in "new_sqlite_classes" (not "new_classes") of the first migration; on workerd set enableSql = true. A deployed class cannot change: use another name. The server\'s log has the reason.',
  );
}

function compatibilityOf({ compatibility }: DeploymentInfo): Finding {
  const missing = Object.keys(compatibility).filter((flag) => compatibility[flag] !== true);
  if (missing.length === 0) return ok("compatibility", "The compatibility date turns on what Holdfast is tested with.");
  return warning(
    "compatibility",
    `The compatibility date is older than 2026-10-01: ${missing.join(", ")} are off.`,
    'Set "compatibility_date": "2026-10-01" or later in wrangler.jsonc.',
  );
}

function clockOf({ now }: DeploymentInfo, askedAt: number): Finding {
  const skew = now - askedAt;
  const text = `The clocks of the server and of this machine differ by ${duration(Math.abs(skew))}.`;
  if (Math.abs(skew) <= CLOCK_MS_MAX) return ok("clock", text);
  return warning(
    "clock",
    text,
    "Turn on time synchronization (NTP) on both machines: signed requests and timers use the clock.",
  );
}

function publicUrlOf({ publicUrl }: DeploymentInfo, url: string): Finding {
  if (publicUrl === null)
    return isLoopback(url)
      ? ok("public-url", "PUBLIC_URL is not set. On this machine it is not needed.")
      : warning(
          "public-url",
          "PUBLIC_URL is not set: URLs of tokens are relative.",
          `Set PUBLIC_URL to the URL that callers use, such as ${url}.`,
        );
  if (new URL(publicUrl).origin === new URL(url).origin) return ok("public-url", `PUBLIC_URL is ${publicUrl}.`);
  return warning(
    "public-url",
    `PUBLIC_URL is ${publicUrl}, but this URL is ${url}.`,
    "Set PUBLIC_URL to the URL that callers use, unless this is another way to the same server.",
  );
}

function accessOf({ open }: DeploymentInfo, url: string): Finding {
  if (!open) return ok("access", "Requests need credentials.");
  if (isLoopback(url)) return ok("access", "Every request is accepted. On this machine that is usual.");
  return failed(
    "access",
    "Every request is accepted, with all scopes.",
    "Remove the variable AUTH, and set API_TOKENS.",
  );
}

function isLoopback(url: string): boolean {
  return /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(new URL(url).hostname);
}
