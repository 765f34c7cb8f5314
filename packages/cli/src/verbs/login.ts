/**
 * `holdfast login`: checks a token against a deployment and stores both as a profile.
 */
import { Command } from "commander";
import { askSecret, askText } from "../act/consent.ts";
import {
  type Profile,
  checkProfileName,
  checkUrl,
  profilesPath,
  readProfiles,
  writeProfiles,
} from "../connect/profiles.ts";
import { isToken, runTokenCommand } from "../connect/token-command.ts";
import { UsageError, asApiFailure } from "../exit.ts";
import { safe } from "../output/safe-text.ts";
import { readAll } from "../select/input.ts";
import type { Session } from "../session.ts";
import type { Verb } from "../verb.ts";

interface Options {
  readonly tokenCommand?: string;
  readonly protected?: true;
  readonly check: boolean;
}

export const login: Verb = (host) =>
  host.does<Options>(
    new Command("login")
      .description(
        "Stores the URL and the token of a deployment as a profile, and makes it the current one. A token is read from the terminal or from stdin, never from the command line.",
      )
      .argument("[profile]", "the name of the profile: that of --profile, or default")
      .option(
        "--token-command <command>",
        'a command that prints the token, such as "op read op://vault/holdfast/token"; it is stored in place of the token',
      )
      .option("--protected", "destructive verbs ask to type the name of this profile")
      .option("--no-check", "store it without a request to the server")
      .addHelpText("after", EXAMPLES),
    async ({ session, args: [given], options }) => {
      const name = given ?? session.globals.profile ?? "default";
      checkProfileName(name);
      const profile = await describe(session, options);
      if (options.check) await check(session, profile);
      const path = profilesPath(session.io);
      const { profiles } = await readProfiles(path, (message) => session.notes.warn(safe`${message}`));
      await writeProfiles(path, { current: name, profiles: { ...profiles, [name]: profile } });
      session.notes.say(
        safe`Stored the profile ${session.notes.paint("bold", name)} (${profile.url}) in ${path}. It is the current one.`,
      );
    },
  );

async function describe(session: Session, options: Options): Promise<Profile> {
  const given = session.globals.url ?? (session.io.env["HOLDFAST_URL"] || undefined);
  if (given === undefined && !session.canAsk)
    throw new UsageError("Give the URL of the API: --url https://flows.example");
  const url = checkUrl(given ?? (await askText(session, "URL of the API:")), "The URL");
  const guard = options.protected === true ? { protected: true as const } : {};
  if (options.tokenCommand !== undefined) return { url, tokenCommand: options.tokenCommand, ...guard };
  const token = (session.canAsk ? await askSecret(session, "Token:") : await readAll(session.io, "the token")).trim();
  if (!isToken(token))
    throw new UsageError("A token is one word. Give it on stdin: holdfast login --url URL < token.txt");
  return { url, token, ...guard };
}

/** Sends one request with the token. A token that may not read is still a valid one. */
async function check(session: Session, { url, token, tokenCommand }: Profile): Promise<void> {
  const { createClient } = await import("@holdfast/workflows/client");
  const made = token ?? (await runTokenCommand(tokenCommand ?? "", session.io));
  session.tokenFrom = tokenCommand === undefined ? (session.canAsk ? "the terminal" : "stdin") : "--token-command";
  const client = createClient({ url, token: made, attempts: 2, signal: session.io.signal });
  try {
    await session.notes.progress(
      () => safe`Checking the token at ${url}`,
      () => client.workflows(),
    );
  } catch (error) {
    const failure = asApiFailure(error);
    if (failure?.code !== "forbidden" && failure?.code !== "dispatcher_unreachable") throw error;
  }
}

const EXAMPLES = `
Examples:
  $ holdfast login --url https://flows.example
  $ holdfast login prod --url https://flows.example --protected --token-command "op read op://vault/holdfast/token"
  $ holdfast login ci --url https://flows.example < token.txt`;
