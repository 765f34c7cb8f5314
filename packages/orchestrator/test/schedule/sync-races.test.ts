/** tests: declarations of schedules whose list does not know the newest ones */
import { expect, test } from "vitest";
import { readDeclaration } from "../../src/schedule/declaration.ts";
import { World } from "./world.ts";

test("SCH9 a rollback applies to a schedule whose answer to the later build has not arrived", () => {
  const world = new World();
  const sync = (rev: number, cron: string, force = false) => {
    const schedules = [readDeclaration({ id: "s", workflow: "w", cron }, "schedule")];
    world.list({ type: "sync", schedules, rev, force, dryRun: false, environment: "e" });
    world.pass(1_000);
  };
  sync(1, "1 * * * *");
  world.fate = (to) => (to.kind === "schedules" ? "is lost" : "arrives");
  sync(2, "2 * * * *");
  expect(world.read()).toMatchObject({ cron: ["2 * * * *"] });
  sync(1, "1 * * * *", true);
  expect(world.read()).toMatchObject({ cron: ["1 * * * *"] });
  // And once more, to an even earlier one.
  sync(0, "0 * * * *", true);
  expect(world.read()).toMatchObject({ cron: ["0 * * * *"] });
  sync(3, "3 * * * *");
  expect(world.read()).toMatchObject({ cron: ["3 * * * *"] });
});
