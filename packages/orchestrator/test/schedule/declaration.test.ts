/** The check of declarations: what is stored, and what is refused with which message. */
import { describe, expect, test } from "vitest";
import { readDeclaration } from "../../src/schedule/declaration.ts";

const read = (fields: object) => readDeclaration({ id: "nightly", workflow: "w", ...fields }, "schedule");

const daily = { cron: "0 3 * * *" };

describe("what is refused", () => {
  test.each([
    [{ cron: "60 * * * *" }, 'schedule("nightly").cron: "60 * * * *" is no pattern: Invalid value for minute: 60.'],
    [
      { cron: ["0 3 * * *", "* * *"] },
      'cron[1]: "* * *" has 3 fields. It needs five: minute, hour, day of the month, month, weekday.',
    ],
    [{ cron: "0 0 3 * * *" }, "seconds: true"],
    [{ cron: "" }, "has no fields"],
    [{ cron: "? 0 * * *" }, 'has "?"'],
    [{ cron: "@reboot" }, "is no pattern"],
    [{ cron: "0 0 30 2 *" }, "matches no date, such as the 30th of February"],
    [
      { ...daily, tz: "Mars/Olympus" },
      '"Mars/Olympus" is no time zone. Give a name such as "Europe/Berlin", or "UTC".',
    ],
    [{ every: "500ms" }, "shorter than a second"],
    [{ every: "yes" }, "is not a duration"],
    [{}, "needs a time: cron, every or at"],
    [{ at: "2027-01-01T00:00:00" }, "has no offset"],
    [{ at: "2027-02-31T00:00:00Z" }, "is not a date"],
    [{ at: [] }, "a list of 1 to"],
    [{ ...daily, from: "2028-01-01T00:00:00Z", until: "2027-01-01T00:00:00Z" }, "never fires"],
    [{ ...daily, skip: ["2027-13-01"] }, 'skip[0]: "2027-13-01" is not a date'],
    [{ ...daily, spread: "101%" }, "more than 100%"],
    [{ ...daily, overlap: "wait" }, '"wait" must be "skip", "queue", "replace", "allow"'],
    [{ ...daily, overlap: "queue", queueMax: 101 }, "from 1 to 100"],
    [{ ...daily, queueMax: 2 }, 'needs overlap: "queue"'],
    [{ ...daily, catchUp: "some" }, '"latest", "all", "none"'],
    [{ ...daily, onFailures: { pauseAfter: 0 } }, "pauseAfter: must be a whole number"],
    [{ ...daily, onFailures: { retry: 1 } }, "onFailures.retry: is no field"],
    [{ ...daily, timezone: "UTC" }, "timezone: is no field of a schedule. The fields are: id,"],
    [{ ...daily, id: "a/b" }, "schedule.id: must be 1 to 100 letters"],
    [{ ...daily, workflow: undefined }, "workflow: is missing"],
    [{ ...daily, tags: [""] }, "tags[0]: must not be empty"],
    [{ ...daily, input: () => 1 }, "input"],
    [{ ...daily, input: "x".repeat(200_000) }, "the limit is 131072"],
  ])("SCH1 %j is refused, and the message says what and where", (fields, message) => {
    expect(() => read(fields)).toThrow(message);
  });
});

test("SCH1 defaults: UTC, skip on overlap, and the latest missed tick", () => {
  expect(read({ ...daily, workflow: { id: "report" }, input: { a: 1 }, tags: ["x"] })).toEqual({
    id: "nightly",
    workflowId: "report",
    input: '[{"a":1},1]',
    tags: ["x"],
    times: { cron: ["0 3 * * *"], tz: "UTC" },
    overlap: "skip",
    queueMax: 1,
    catchUp: "latest",
  });
});

test("SCH1 dates are sorted, each once, and seconds need to be allowed", () => {
  const { times } = read({
    cron: "*/10 * * * * *",
    seconds: true,
    every: "1h",
    anchor: "2027-01-01T00:00:07Z",
    at: [new Date("2027-03-01T00:00:00Z"), "2027-02-01T01:00:00+01:00", "2027-02-01T00:00:00Z"],
    skip: ["2027-12-25", "2027-03-01T00:00:00Z"],
  });
  expect(times).toEqual({
    cron: ["*/10 * * * * *"],
    seconds: true,
    every: 3_600_000,
    anchor: Date.parse("2027-01-01T00:00:07Z"),
    at: [Date.parse("2027-02-01T00:00:00Z"), Date.parse("2027-03-01T00:00:00Z")],
    skip: ["2027-12-25", Date.parse("2027-03-01T00:00:00Z")],
    tz: "UTC",
  });
});
