/**
 * `holdfast profile`: lists, shows, chooses and removes profiles. Tokens are never printed.
 */
import { Command } from "commander";
import { type Profiles, profilesPath, readProfiles, writeProfiles } from "../connect/profiles.ts";
import { EXIT, Reported } from "../exit.ts";
import type { RowShape } from "../output/printer.ts";
import { safe } from "../output/safe-text.ts";
import type { Session } from "../session.ts";
import type { Host, Verb } from "../verb.ts";

interface ShownProfile {
  readonly name: string;
  readonly url: string;
  /** Where the token comes from: the command, the file, or nowhere. */
  readonly token: "command" | "stored" | "none";
  readonly protected: boolean;
  readonly current: boolean;
}

const shape: RowShape<ShownProfile> = {
  id: ({ name }) => name,
  empty: "There is no profile yet. holdfast login makes one.",
  columns: [
    { name: "name", cell: ({ name }) => name },
    { name: "current", cell: ({ current }) => (current ? "✓" : ""), style: () => "green" },
    { name: "url", cell: ({ url }) => url, min: 20 },
    { name: "token", cell: ({ token }) => token },
    { name: "protected", cell: (profile) => (profile.protected ? "yes" : "") },
  ],
};

export const profile: Verb = (host) =>
  new Command("profile")
    .description("Lists and chooses profiles. holdfast login makes them.")
    .addCommand(
      host.does(new Command("list").description("Lists the profiles."), async ({ session }) => {
        await session.out.rows(shown(await read(session)), shape);
      }),
    )
    .addCommand(show(host))
    .addCommand(use(host))
    .addCommand(remove(host))
    .addHelpText(
      "after",
      "\nExamples:\n  $ holdfast profile list\n  $ holdfast profile use prod\n  $ holdfast list --profile staging",
    );

function show(host: Host): Command {
  return host.does(
    new Command("show").description("Shows what the next verb would use.").argument("[name]", "a profile"),
    async ({ session, args: [name] }) => {
      if (name !== undefined) {
        const found = shown(await read(session)).filter((one) => one.name === name);
        if (found.length === 0) missing(session, name);
        return void (await session.out.rows(found, shape));
      }
      const { url, profile: used, from, tokenFrom, isProtected } = await session.target();
      await session.out.item(
        { url, from, profile: used ?? null, token: tokenFrom ?? null, protected: isProtected },
        () => used ?? url,
        (one) => [
          safe`url      ${one.url}, from ${one.from}`,
          safe`profile  ${one.profile ?? "none"}${one.protected ? " (protected)" : ""}`,
          safe`token    ${one.token === null ? "none" : `from ${one.token}`}`,
        ],
      );
    },
  );
}

function use(host: Host): Command {
  return host.does(
    new Command("use").description("Makes a profile the current one.").argument("<name>", "a profile"),
    async ({ session, args: [name = ""] }) => {
      const profiles = await read(session);
      if (profiles.profiles[name] === undefined) missing(session, name);
      await writeProfiles(profilesPath(session.io), { ...profiles, current: name });
      session.notes.say(safe`The current profile is ${name}.`);
    },
  );
}

function remove(host: Host): Command {
  return host.does(
    new Command("remove").description("Removes a profile, with its token.").argument("<name>", "a profile"),
    async ({ session, args: [name = ""] }) => {
      const { current, profiles } = await read(session);
      if (profiles[name] === undefined) missing(session, name);
      const left = Object.fromEntries(Object.entries(profiles).filter(([one]) => one !== name));
      const still = current === undefined || current === name ? {} : { current };
      await writeProfiles(profilesPath(session.io), { ...still, profiles: left });
      session.notes.say(safe`Removed the profile ${name}.`);
    },
  );
}

function read(session: Session): Promise<Profiles> {
  return readProfiles(profilesPath(session.io), (message) => session.notes.warn(safe`${message}`));
}

function shown({ current, profiles }: Profiles): readonly ShownProfile[] {
  return Object.entries(profiles).map(([name, one]) => ({
    name,
    url: one.url,
    token: one.tokenCommand !== undefined ? "command" : one.token !== undefined ? "stored" : "none",
    protected: one.protected === true,
    current: name === current,
  }));
}

function missing({ notes }: Session, name: string): never {
  notes.error([safe`There is no profile ${JSON.stringify(name)}.`, safe`holdfast profile list shows those there are.`]);
  throw new Reported(EXIT.notFound);
}
