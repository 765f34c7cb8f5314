/** The times of a schedule: patterns in zones with changes of the clock, intervals, dates and exclusions. */
import { execFileSync } from "node:child_process";
import { describe, expect, test, vi } from "vitest";
import { nextTime, nextTimes } from "../../src/schedule/times/next-time.ts";
import { isoText, utcId, utcText } from "../../src/schedule/times/utc.ts";
import { checkZone, CI_ZONES } from "./zone-years.ts";

const utc = (text: string): number => Date.parse(text);
const iso = (ms: number | undefined): string | undefined =>
  ms === undefined ? undefined : new Date(ms).toISOString().replace(".000Z", "Z");

/** The next times of a pattern in a zone after a time. */
function times(cron: string, tz: string, after: string, count = 1): (string | undefined)[] {
  return nextTimes({ cron: [cron], tz }, utc(after), count).map(iso);
}

describe("changes of the clock", () => {
  test("SCH2 a time in a gap is the first instant after it", () => {
    expect(times("30 2 * * *", "America/New_York", "2027-03-14T00:00:00Z", 2)).toEqual([
      "2027-03-14T07:00:00Z",
      "2027-03-15T06:30:00Z",
    ]);
    expect(times("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T15:00:00Z")).toEqual(["2026-10-03T15:30:00Z"]);
  });

  test("SCH2 a gap at midnight moves the time to the first instant of the day", () => {
    expect(times("0 0 * * *", "America/Santiago", "2026-09-05T12:00:00Z")).toEqual(["2026-09-06T04:00:00Z"]);
    expect(times("30 0 * * *", "Africa/Cairo", "2026-04-23T00:00:00Z")).toEqual(["2026-04-23T22:00:00Z"]);
  });

  test("SCH2 a gap that lasts until midnight moves the time to the first instant of the next day", () => {
    expect(times("30 23 * * *", "America/Nuuk", "2027-03-27T12:00:00Z", 3)).toEqual([
      "2027-03-28T01:00:00Z",
      "2027-03-29T00:30:00Z",
      "2027-03-30T00:30:00Z",
    ]);
  });

  test("SCH2 a day that a zone has left out has no times", () => {
    expect(times("0 12 * * *", "Pacific/Apia", "2011-12-29T12:00:00Z", 2)).toEqual([
      "2011-12-29T22:00:00Z",
      "2011-12-30T22:00:00Z",
    ]);
    const skip = ["2011-12-29", "2011-12-30"];
    expect(iso(nextTime({ every: 60_000, tz: "Pacific/Apia", skip }, utc("2011-12-29T12:00:00Z")))).toBe(
      "2011-12-30T10:00:00Z",
    );
  });

  test("SCH2 a time that occurs twice on a day comes once, the first time", () => {
    expect(times("30 1 * * *", "America/New_York", "2026-11-01T00:00:00Z", 2)).toEqual([
      "2026-11-01T05:30:00Z",
      "2026-11-02T06:30:00Z",
    ]);
    expect(times("30 1,13 * * *", "America/New_York", "2026-11-01T00:00:00Z", 3)).toEqual([
      "2026-11-01T05:30:00Z",
      "2026-11-01T18:30:00Z",
      "2026-11-02T06:30:00Z",
    ]);
  });

  test.each(["0 * * * *", "0 */1 * * *", "0 0-23 * * *"])("SCH2 %s goes by elapsed time", (cron) => {
    const back = times(cron, "America/New_York", "2026-11-01T04:30:00Z", 3);
    expect(back).toEqual(["2026-11-01T05:00:00Z", "2026-11-01T06:00:00Z", "2026-11-01T07:00:00Z"]);
    const forward = times(cron, "America/New_York", "2027-03-14T05:30:00Z", 3);
    expect(forward).toEqual(["2027-03-14T06:00:00Z", "2027-03-14T07:00:00Z", "2027-03-14T08:00:00Z"]);
  });

  test("SCH2 every half hour goes by elapsed time", () => {
    const found = nextTimes({ cron: ["*/30 * * * *"], tz: "America/New_York" }, utc("2026-11-01T04:00:00Z"), 8);
    expect(new Set(found.map((time, nth) => time - (found[nth - 1] ?? time - 1_800_000)))).toEqual(
      new Set([1_800_000]),
    );
  });
});

describe("patterns", () => {
  test("SCH1 a day of the month and a weekday are alternatives", () => {
    expect(times("0 0 13 * 5", "UTC", "2026-11-12T12:00:00Z", 3)).toEqual([
      "2026-11-13T00:00:00Z",
      "2026-11-20T00:00:00Z",
      "2026-11-27T00:00:00Z",
    ]);
  });

  test("SCH1 names, the last day, the n-th weekday, Sunday as 7 and the leap day are understood", () => {
    expect(times("0 7 * * MON-FRI", "UTC", "2026-11-27T08:00:00Z")).toEqual(["2026-11-30T07:00:00Z"]);
    expect(times("0 0 L * *", "UTC", "2027-02-01T00:00:00Z")).toEqual(["2027-02-28T00:00:00Z"]);
    expect(times("0 0 * * 5#2", "UTC", "2026-11-26T00:00:00Z")).toEqual(["2026-12-11T00:00:00Z"]);
    expect(times("0 0 * * 7", "UTC", "2026-11-26T00:00:00Z")).toEqual(["2026-11-29T00:00:00Z"]);
    expect(times("@daily", "UTC", "2026-11-26T00:00:00Z")).toEqual(["2026-11-27T00:00:00Z"]);
    expect(times("0 0 29 2 *", "UTC", "2096-03-01T00:00:00Z")).toEqual(["2104-02-29T00:00:00Z"]);
    expect(times("0 0 30 2 *", "UTC", "2026-01-01T00:00:00Z")).toEqual([]);
  });

  test("SCH1 patterns, an interval and dates are united, and each instant comes once", () => {
    const spec = {
      cron: ["0 0 * * *", "0 */12 * * *"],
      every: 6 * 3_600_000,
      at: [utc("2026-11-26T00:00:00Z"), utc("2026-11-26T01:23:45Z")],
      tz: "UTC",
    };
    expect(nextTimes(spec, utc("2026-11-25T23:00:00Z"), 4).map(iso)).toEqual([
      "2026-11-26T00:00:00Z",
      "2026-11-26T01:23:45Z",
      "2026-11-26T06:00:00Z",
      "2026-11-26T12:00:00Z",
    ]);
  });

  test("SCH1 an interval counts elapsed time from its anchor, and does not drift", () => {
    expect(nextTime({ every: 90_000, tz: "UTC" }, 90_001)).toBe(180_000);
    expect(nextTimes({ every: 60_000, anchor: 7_000, tz: "UTC" }, 0, 3)).toEqual([7_000, 67_000, 127_000]);
    expect(nextTime({ every: 60_000, anchor: 600_000, tz: "UTC" }, 0)).toBe(60_000);
  });

  test("SCH1 from is the first possible time, and until is the end", () => {
    const spec = { every: 60_000, tz: "UTC", from: 120_000, until: 240_000 };
    expect(nextTimes(spec, 0, 10)).toEqual([120_000, 180_000]);
  });

  test("SCH1 days of the zone and single times can be excluded", () => {
    const spec = {
      cron: ["0 9 * * *"],
      tz: "Europe/Berlin",
      skip: ["2026-12-25", "2026-12-26", utc("2026-12-28T08:00:00Z")],
    };
    expect(nextTimes(spec, utc("2026-12-24T00:00:00Z"), 3).map(iso)).toEqual([
      "2026-12-24T08:00:00Z",
      "2026-12-27T08:00:00Z",
      "2026-12-29T08:00:00Z",
    ]);
  });

  test("SCH1 a frequent pattern passes an excluded day with a bounded number of steps", () => {
    const spec = { cron: ["* * * * *"], tz: "America/New_York", skip: ["2026-11-01"] };
    expect(iso(nextTime(spec, utc("2026-11-01T03:59:00Z")))).toBe("2026-11-02T05:00:00Z");
  });
});

describe("bounds", () => {
  const every = { every: 1_000, tz: "Europe/Berlin" };
  const daily = { cron: ["0 3 * * *"], tz: "Europe/Berlin" };

  test("NT3 no time is before 1970, however early the search begins", () => {
    for (const after of [-1, utc("0000-01-01T00:00:00Z") - 1, -8.64e15]) {
      expect(nextTime(every, after)).toBe(0);
      expect(iso(nextTime(daily, after))).toBe("1970-01-01T02:00:00Z");
    }
  });

  test("NT3 no time is after the year 9998", () => {
    const last = utc("9998-12-31T23:59:59Z");
    expect(nextTime(every, last - 1)).toBe(last);
    for (const after of [last, 8.64e15, Infinity]) {
      expect(nextTime(every, after)).toBeUndefined();
      expect(nextTime(daily, after)).toBeUndefined();
    }
    expect(nextTime({ at: [8.64e15], tz: "UTC" }, 0)).toBeUndefined();
    expect(nextTime({ ...every, from: 8.64e15 }, 0)).toBeUndefined();
  });

  test("SEC10 forms of a zone's name are one zone for the library of patterns, which forgets none", () => {
    const made = vi.spyOn(Intl, "DateTimeFormat");
    for (const tz of ["Asia/Kathmandu", "asia/kathmandu", "ASIA/KATHMANDU", "Asia/kathmandu"])
      expect(times("*/7 * * * *", tz, "2026-11-26T00:00:00Z")).toEqual(["2026-11-26T00:04:00Z"]);
    for (const tz of ["+05:45", "-00:30"]) expect(times("*/7 1 * * *", tz, "2026-11-26T00:00:00Z")).toHaveLength(1);
    expect(times("*/7 1 * * *", "+05:45", "2026-11-26T00:00:00Z")).toEqual(["2026-11-26T19:15:00Z"]);
    const ofLibrary = made.mock.calls.map(([, options]) => options).filter((options) => options?.hour12 === false);
    expect(ofLibrary.map((options) => options?.timeZone)).toHaveLength(1);
    made.mockRestore();
  });

  test("SCH1 a thousand excluded days in a row take few steps", () => {
    const start = utc("2026-01-01T00:00:00Z");
    const skip = Array.from({ length: 1_000 }, (_none, nth) =>
      new Date(start + nth * 86_400_000).toISOString().slice(0, 10),
    );
    const format = vi.spyOn(Intl.DateTimeFormat.prototype, "formatToParts");
    expect(iso(nextTime({ every: 1_000, tz: "America/New_York", skip }, start + 86_400_000))).toBe(
      "2028-09-27T04:00:00Z",
    );
    expect(format.mock.calls.length).toBeLessThan(60);
    format.mockClear();
    const twoDays = 2 * 86_400_000;
    const apart = skip.map((_date, nth) => new Date(start + nth * twoDays).toISOString().slice(0, 10));
    const last = start + 1_000 * twoDays + 43_200_000;
    expect(nextTime({ every: twoDays, anchor: last, tz: "America/Nuuk", skip: apart }, start)).toBe(last);
    expect(format.mock.calls.length).toBeLessThan(6_000);
    format.mockRestore();
  });

  test("SCH1 an excluded day may occur twice, or be followed by a day that the zone has left out", () => {
    // At 00:01 the clock goes back to 23:01 of the day before.
    const twice = { cron: ["*/10 * * * *"], tz: "America/St_Johns", skip: ["2006-10-28"] };
    const found = nextTimes(twice, utc("2006-10-28T20:00:00Z"), 2).map(iso);
    expect(found).toEqual(["2006-10-29T02:30:00Z", "2006-10-29T03:30:00Z"]);
    const left = { every: 60_000, tz: "Pacific/Apia", skip: ["2011-12-29"] };
    expect(iso(nextTime(left, utc("2011-12-29T12:00:00Z")))).toBe("2011-12-30T10:00:00Z");
  });
});

describe("independence of the host", () => {
  test.each(CI_ZONES)("SCH2 a daily pattern in %s has one time on each day, over twenty years", (tz) => {
    expect(checkZone(tz, utc("2026-01-01T00:00:00Z"), 20)).toEqual([]);
  });

  test("SCH2 times are the same in every zone of the host", () => {
    const script = `
      import { nextTimes } from "${new URL("../../src/schedule/times/next-time.ts", import.meta.url).href}";
      const specs = [
        { cron: ["30 2 * * *"], tz: "America/New_York" },
        { cron: ["30 0 * * *"], tz: "Africa/Cairo" },
        { cron: ["0 * * * *"], tz: "Australia/Lord_Howe" },
        { cron: ["0 9 * * *"], tz: "Europe/Berlin", skip: ["2026-03-29"] },
      ];
      console.log(JSON.stringify(specs.map((spec) => nextTimes(spec, Date.parse("2026-03-01T00:00:00Z"), 60))));`;
    const answers = ["UTC", "America/New_York", "Asia/Kathmandu"].map((TZ) =>
      execFileSync(process.execPath, ["--input-type=module", "-e", script], {
        env: { ...process.env, TZ },
        encoding: "utf8",
      }),
    );
    expect(new Set(answers).size).toBe(1);
  });
});

test("SCH4 a time as text is that of a Date", () => {
  for (const ms of [0, 951_782_400_000, 951_868_799_000, 1_805_007_600_500, -1, 4_107_542_400_000]) {
    const text = new Date(ms).toISOString();
    expect(utcText(ms)).toBe(`${text.slice(0, 19)}Z`);
    expect(isoText(ms)).toBe(text.replace(".000Z", "Z"));
    expect(utcId(ms)).toBe(text.replaceAll(/[-:]/g, "").replace(".000Z", "Z"));
  }
});

test("NT2 the next time is the same in whatever order times were read before", () => {
  const specs = ["0 * * * *", "30 2 * * *", "*/20 1-3 * * 0"].flatMap((cron) =>
    ["UTC", "Europe/Berlin"].map((tz) => ({ cron: [cron], tz })),
  );
  for (const [index, spec] of specs.entries()) {
    const from = utc("2026-10-20T00:00:00Z");
    const all = nextTimes(spec, from, 60);
    // Other patterns push this one out of memory, so it is read again.
    for (let n = 0; n < 100; n++) nextTime({ cron: [`${n % 60} ${index} ${1 + (n % 28)} * *`], tz: "UTC" }, 0);
    const steps = Array.from({ length: 300 }, (_one, n) => (n * 7919) % 59);
    for (const [n, at] of steps.entries()) {
      const [last = 0, next] = [all[at], all[at + 1]];
      const after = [last, last + 1, last + 500, (next ?? 0) - 1][n % 4] ?? last;
      expect(iso(nextTime(spec, after))).toBe(iso(next));
    }
  }
});
