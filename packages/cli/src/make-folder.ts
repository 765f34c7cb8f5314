/**
 * Makes a folder with its parents.
 *
 * Owns: that it ends. The recursive `mkdir` of Node never does where the system makes no folder in one that exists, such as
 * in `/proc`.
 */
import { existsSync, mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";

/** `path`: absolute. Does nothing if the folder exists. @throws The error of the system. */
export function makeFolder(path: string, mode?: number): void {
  const missing: string[] = [];
  for (let folder = path; !existsSync(folder); folder = dirname(folder)) missing.push(folder);
  if (missing.length === 0) missing.push(path);
  for (const folder of missing.toReversed()) {
    try {
      mkdirSync(folder, { mode });
    } catch (error) {
      const exists = (error as NodeJS.ErrnoException).code === "EEXIST";
      // Another process may have made it. A link to nothing is no folder (ENOENT).
      if (!exists || !statSync(folder).isDirectory()) throw error;
    }
  }
}
