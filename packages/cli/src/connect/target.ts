/**
 * Which deployment a verb talks to, and with which token (CLI8).
 *
 * Owns: the order of the sources. URL: `--url`, HOLDFAST_URL, the named profile (`--profile`, HOLDFAST_PROFILE), the server
 * that `holdfast dev` runs for this folder, the current profile, http://127.0.0.1:8787. Token: HOLDFAST_TOKEN, else that of
 * the source of the URL. So the token of one deployment is never sent to another.
 */
import { UsageError } from "../exit.ts";
import type { Io } from "../io.ts";
import { findDevServer } from "./dev-server.ts";
import { type Profile, type Profiles, checkUrl, profilesPath, readProfiles } from "./profiles.ts";
import { runTokenCommand } from "./token-command.ts";

const DEFAULT_URL = "http://127.0.0.1:8787";

export interface Target {
  readonly url: string;
  /** The profile's name, if the URL is that of a profile. */
  readonly profile: string | undefined;
  readonly isProtected: boolean;
  /** Where the URL comes from, for people. */
  readonly from: string;
  /** Returns the token when it is needed. */
  readonly token: (() => Promise<string>) | string | undefined;
  /** Where the token comes from, for people. */
  readonly tokenFrom: string | undefined;
  /** Remarks for people: what was chosen without their saying so, and what is unsafe. */
  readonly remarks: readonly string[];
}

export interface Choice {
  readonly url?: string | undefined;
  readonly profile?: string | undefined;
}

interface Origin {
  readonly url: string;
  readonly from: string;
  readonly profile?: readonly [name: string, profile: Profile];
  readonly token?: string | undefined;
  readonly remark?: string;
}

export async function findTarget(io: Io, choice: Choice): Promise<Target> {
  const remarks: string[] = [];
  const profiles = await readProfiles(profilesPath(io), (message) => remarks.push(`warning: ${message}`));
  const named = namedProfile(io, choice, profiles);
  const origin = await findOrigin(io, choice, profiles, named);
  if (origin.remark !== undefined) remarks.push(origin.remark);
  if (named !== undefined && origin.profile === undefined)
    remarks.push(`warning: ${origin.from} replaces the URL of the profile ${named[0]}, whose token is not sent.`);
  const { HOLDFAST_TOKEN: given } = io.env;
  const [name, profile] = origin.profile ?? named ?? [];
  const token = given ? given : origin.profile === undefined ? origin.token : tokenOf(origin.profile[1], io);
  if (token !== undefined && isOpenToReaders(origin.url))
    remarks.push(
      `warning: the token is sent to ${new URL(origin.url).host} without TLS. Others can read it on its way.`,
    );
  return {
    url: origin.url,
    profile: name,
    isProtected: profile?.protected === true,
    from: origin.from,
    token,
    tokenFrom: token === undefined ? undefined : given ? "HOLDFAST_TOKEN" : origin.from,
    remarks,
  };
}

function namedProfile(
  { env }: Io,
  { profile }: Choice,
  { profiles }: Profiles,
): readonly [string, Profile] | undefined {
  const name = profile ?? (env["HOLDFAST_PROFILE"] || undefined);
  if (name === undefined) return undefined;
  const found = profiles[name];
  if (found !== undefined) return [name, found];
  const known = Object.keys(profiles);
  const hint = known.length === 0 ? "There are none yet: run holdfast login." : `There are: ${known.join(", ")}.`;
  throw new UsageError(`There is no profile ${JSON.stringify(name)}. ${hint}`);
}

async function findOrigin(
  { env, cwd }: Io,
  { url }: Choice,
  { current, profiles }: Profiles,
  named: readonly [string, Profile] | undefined,
): Promise<Origin> {
  const given = url ?? (env["HOLDFAST_URL"] || undefined);
  if (given !== undefined) {
    const from = url === undefined ? "HOLDFAST_URL" : "--url";
    const checked = checkUrl(given, from);
    const entries = named === undefined ? Object.entries(profiles) : [named];
    const profile = entries.find(([, one]) => isSameUrl(one.url, checked));
    if (profile !== undefined) return { url: checked, from, profile };
    const dev = await findDevServer(cwd);
    return { url: checked, from, token: dev !== undefined && isSameUrl(dev.url, checked) ? dev.token : undefined };
  }
  if (named !== undefined) return { url: named[1].url, from: `the profile ${named[0]}`, profile: named };
  const dev = await findDevServer(cwd);
  if (dev !== undefined)
    return { ...dev, from: dev.file, remark: `Using the server of holdfast dev at ${dev.url} (${dev.file}).` };
  const chosen = current === undefined ? undefined : profiles[current];
  if (current !== undefined && chosen !== undefined)
    return { url: chosen.url, from: `the profile ${current}`, profile: [current, chosen] };
  return { url: DEFAULT_URL, from: "the default" };
}

function isSameUrl(one: string, other: string): boolean {
  return URL.parse(one)?.href === URL.parse(other)?.href;
}

function tokenOf({ token, tokenCommand }: Profile, io: Io): Target["token"] {
  if (tokenCommand === undefined) return token;
  let made: Promise<string> | undefined;
  return () => (made ??= runTokenCommand(tokenCommand, io));
}

/** Whether others on the network can read what is sent. */
function isOpenToReaders(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === "http:" && !/^(?:localhost|127(?:\.\d+){3}|\[::1\]|.*\.localhost)$/.test(hostname);
}
