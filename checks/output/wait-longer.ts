/**
 * The bound of `vi.waitFor` and `vi.waitUntil` in tests: at least 30 s.
 *
 * Owns: the bound, which the configuration cannot set. A condition that is true early costs nothing more. On a busy machine, a
 * process may need ten times as long as on an idle one.
 */
import { vi } from "vitest";

const TIMEOUT_MS = 30_000;

type Options = Parameters<typeof vi.waitFor>[1];

function longer(options: Options = {}): Options {
  const { timeout = 0, ...more } = typeof options === "number" ? { timeout: options } : options;
  return { ...more, timeout: Math.max(timeout, TIMEOUT_MS) };
}

const { waitFor, waitUntil } = vi;
vi.waitFor = (callback, options) => waitFor(callback, longer(options));
vi.waitUntil = (callback, options) => waitUntil(callback, longer(options));
