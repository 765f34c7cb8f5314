/**
 * Finds the browser of the tests, and starts it.
 *
 * Owns: which one it is. On Linux x64 it is in a package of the lockfile and needs nothing of the system; elsewhere it is one
 * that is installed. The browser resolves no name: nothing but this machine can be reached.
 */
import { existsSync } from "node:fs";
import packed from "@sparticuz/chromium";
import { type Browser, chromium } from "playwright-core";

const INSTALLED = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

const ARGS = [
  "--no-sandbox",
  "--no-zygote",
  "--disable-webgl",
  // Text has the same widths on every machine with the same fonts.
  "--font-render-hinting=none",
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
];

/** Returns the path of the browser, or nothing where there is none: only then may the tests be skipped. */
export async function findBrowser(): Promise<string | undefined> {
  if (process.platform !== "linux" || process.arch !== "x64") return INSTALLED.find((path) => existsSync(path));
  packed.setGraphicsMode = false;
  return packed.executablePath();
}

/** Whether this machine must have a browser: CI, and each machine for which the lockfile has one. */
export function mustHaveBrowser(): boolean {
  return Boolean(process.env["CI"]) || (process.platform === "linux" && process.arch === "x64");
}

export function startBrowser(executablePath: string): Promise<Browser> {
  return chromium.launch({ executablePath, args: ARGS, headless: true });
}
