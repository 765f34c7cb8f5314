/**
 * `holdfast doctor`: examines a deployment from the outside, and says what to do about what it finds.
 */
import { Command } from "commander";
import { type Finding } from "../doctor/findings.ts";
import { examine } from "../doctor/examine.ts";
import type { ExitCode } from "../exit.ts";
import type { Style } from "../output/colours.ts";
import { Text, safe } from "../output/safe-text.ts";
import type { Session } from "../session.ts";
import type { Verb } from "../verb.ts";

const MARKS: Readonly<Record<Finding["status"], readonly [mark: string, style: Style]>> = {
  ok: ["✓", "green"],
  warning: ["!", "yellow"],
  failed: ["✗", "red"],
  skipped: ["·", "dim"],
};

export const doctor: Verb = (host) =>
  host.does(
    new Command("doctor")
      .description(
        "Examines a deployment: that it answers, versions, credentials, bindings, storage, compatibility date, clock, PUBLIC_URL. Each finding says what to do. Exits with the code of the first failed check.",
      )
      .addHelpText("after", EXAMPLES),
    async ({ session }): Promise<ExitCode | undefined> => {
      const findings: Finding[] = [];
      await session.notes.progress(
        () => new Text("Examining"),
        async () => {
          for await (const finding of examine(session)) {
            findings.push(finding);
            await print(session, finding);
          }
        },
      );
      const failed = findings.filter(({ status }) => status === "failed");
      const warnings = findings.filter(({ status }) => status === "warning");
      session.notes.say(safe`${findings.length} checks: ${failed.length} failed, ${warnings.length} warnings.`);
      return failed[0]?.exit;
    },
  );

async function print({ out }: Session, finding: Finding): Promise<void> {
  const { exit: _exit, ...shown } = finding;
  await out.item(
    shown,
    ({ check }) => check,
    ({ check, status, message, remedy }) => {
      const [mark, style] = MARKS[status];
      const line = safe`${out.paint(style, mark)} ${out.paint("bold", check.padEnd(14))} ${message}`;
      return remedy === undefined ? [line] : [line, safe`${" ".repeat(17)}${out.paint("cyan", "→")} ${remedy}`];
    },
  );
}

const EXAMPLES = `
Examples:
  $ holdfast doctor
  $ holdfast doctor --profile prod --output json`;
