/**
 * Finds the browser of the tests, and starts it.
 *
 * Owns: which one it is. On Linux x64 it is in a package of the lockfile and needs nothing of the system; elsewhere it is one
 * that is installed. The browser resolves no name: nothing but this machine can be reached.
 */
import { existsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import packed from "@sparticuz/chromium";
import { type Browser, chromium } from "playwright-core";

const INSTALLED = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

/** Where the package unpacks its font. */
const FONTS = join(tmpdir(), "fonts");
const FONTS_FILE = join(FONTS, "holdfast.conf");

const ARGS = [
  "--no-sandbox",
  // Each process takes a third of a second to start.
  "--in-process-gpu",
  "--renderer-process-limit=1",
  "--disable-webgl",
  // Text has the same widths on every machine with the same fonts.
  "--font-render-hinting=none",
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
];

/** Returns the path of the browser, or nothing where there is none: only then may the tests be skipped. */
export async function findBrowser(): Promise<string | undefined> {
  if (process.platform !== "linux" || process.arch !== "x64") return INSTALLED.find((path) => existsSync(path));
  packed.setGraphicsMode = false;
  const path = await packed.executablePath();
  writeFileSync(FONTS_FILE, fontsText());
  return path;
}

/** Whether this machine must have a browser: CI, and each machine for which the lockfile has one. */
export function mustHaveBrowser(): boolean {
  return Boolean(process.env["CI"]) || (process.platform === "linux" && process.arch === "x64");
}

export function startBrowser(executablePath: string): Promise<Browser> {
  const fonts = existsSync(FONTS_FILE) ? { FONTCONFIG_FILE: FONTS_FILE } : {};
  return chromium.launch({ executablePath, args: ARGS, headless: true, env: { ...process.env, ...fonts } });
}

/** Only the font of the package, whatever the machine has: pictures are the same everywhere. */
function fontsText(): string {
  return `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>${FONTS}</dir><cachedir>${FONTS}/cache</cachedir></fontconfig>
`;
}
