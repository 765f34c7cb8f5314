/**
 * Opens a page in the browser of the person at this machine.
 *
 * Owns: the program of each platform, and when there is no browser to open: over SSH, or without a display.
 */
import { spawn } from "node:child_process";

type Environment = Readonly<Record<string, string | undefined>>;

/** Returns the program and its arguments; `undefined`: this person has no browser here. */
export function browserCommand(
  url: string,
  env: Environment,
  platform: string = process.platform,
): readonly [program: string, ...args: string[]] | undefined {
  const { SSH_CONNECTION, SSH_TTY, DISPLAY, WAYLAND_DISPLAY, WSL_DISTRO_NAME } = env;
  if (platform === "win32") return ["rundll32", "url.dll,FileProtocolHandler", url];
  if (WSL_DISTRO_NAME !== undefined) return ["explorer.exe", url];
  if (SSH_CONNECTION !== undefined || SSH_TTY !== undefined) return undefined;
  if (platform === "darwin") return ["open", url];
  return DISPLAY === undefined && WAYLAND_DISPLAY === undefined ? undefined : ["xdg-open", url];
}

/** Resolves with whether the browser's program started. */
export async function openInBrowser(url: string, env: Environment): Promise<boolean> {
  const [program, ...args] = browserCommand(url, env) ?? [];
  if (program === undefined) return false;
  return new Promise((resolve) => {
    const child = spawn(program, args, { detached: true, stdio: "ignore" });
    child.once("error", () => resolve(false));
    child.once("spawn", () => {
      child.unref();
      resolve(true);
    });
  });
}
