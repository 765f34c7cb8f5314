/**
 * What all files of tests share: the unpacked browser, and the folder with the bundled Worker and its configurations.
 *
 * Owns: the folder, which it removes.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { findBrowser, mustHaveBrowser } from "./find-browser.ts";
import { writeWorker } from "./write-worker.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The path of the browser, or "": the tests are skipped. */
    readonly browser: string;
    readonly workerFolder: string;
  }
}

export default async function setUp(project: TestProject): Promise<() => void> {
  const browser = await findBrowser();
  if (browser === undefined && mustHaveBrowser())
    throw new Error("There is no browser. Install the packages of the lockfile, or chromium.");
  if (browser === undefined)
    console.log("There is no browser, so its tests are skipped. Install chromium to run them.");
  const folder = mkdtempSync(join(tmpdir(), "holdfast-browser-"));
  await writeWorker(folder);
  project.provide("browser", browser ?? "");
  project.provide("workerFolder", folder);
  return () => rmSync(folder, { recursive: true, force: true });
}
