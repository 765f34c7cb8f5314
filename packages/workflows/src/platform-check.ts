/**
 * The check that this platform has what the package uses: one clear error, instead of a missing function inside a run.
 *
 * Owns: the message. The authors' entry does without the check, because its bundle is what every Worker loads.
 */

/** The process of Node and of platforms that are compatible with it. */
interface WithProcess {
  readonly process?: { readonly version?: string };
}

/** @throws Error if the platform is too old, in one line that names what is needed and what this is. */
export function checkPlatform(): void {
  if (Object.hasOwn(Promise, "withResolvers") && Object.hasOwn(URL, "parse")) return;
  const { process } = globalThis as WithProcess;
  const found = process?.version === undefined ? "" : ` This is Node ${process.version}.`;
  throw new Error(
    "@holdfast/workflows needs Node 22.12 or newer, or another platform with Promise.withResolvers and URL.parse." +
      found,
  );
}
