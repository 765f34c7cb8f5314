/**
 * What the adapters of hosts with upgrades share.
 *
 * Owns: which requests are upgrades of an orchestrator, and the size of their frames.
 */
import { HOST_LIMITS } from "@holdfast/protocol";
import { SIGNATURE_HEADER } from "@holdfast/protocol/transport";

/** A character of a frame has at most three bytes in UTF-8. */
export const FRAME_BYTES_MAX: number = 3 * HOST_LIMITS.frameChars + 1_024;

/** Upgrades of an orchestrator are signed. All others are those of the application. `url`: with or without its origin. */
export function isUpgradeOfOrchestrator(url: string, header: (name: string) => unknown): boolean {
  return /\/connect(\?|$)/.test(url) && typeof header(SIGNATURE_HEADER) === "string";
}

/** Whether a request asks for a connection. */
export function isUpgrade({ url, headers }: Pick<Request, "url" | "headers">): boolean {
  const header = (name: string): string | null => headers.get(name);
  return header("Upgrade")?.toLowerCase() === "websocket" && isUpgradeOfOrchestrator(url, header);
}
