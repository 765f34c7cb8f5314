/**
 * The bound of `vi.waitFor` and `vi.waitUntil` in tests: 20 s instead of 1 s, unless a test gives one.
 *
 * Owns: the default, which the configuration cannot set. A condition that is true early costs nothing more. On a busy machine,
 * one second is less than what a process may need.
 */
import { vi } from "vitest";

const TIMEOUT_MS = 20_000;

type Options = Parameters<typeof vi.waitFor>[1];

function longer(options: Options = {}): Options {
  return typeof options === "number" ? options : { timeout: TIMEOUT_MS, ...options };
}

const { waitFor, waitUntil } = vi;
vi.waitFor = (callback, options) => waitFor(callback, longer(options));
vi.waitUntil = (callback, options) => waitUntil(callback, longer(options));
