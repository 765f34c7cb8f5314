/** The times of patterns around changes of the clock, against a search of every minute that knows only what `Intl` says. */
import { expect, test } from "vitest";
import { nextTime } from "../../src/schedule/times/next-time.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Gaps at and before midnight, of half an hour and of two hours, offsets of 45 minutes, and changes twice a year around a month. */
const ZONES = [
  "Africa/Cairo",
  "Africa/Casablanca",
  "America/Havana",
  "America/New_York",
  "America/Nuuk",
  "America/Santiago",
  "America/Scoresbysund",
  "Antarctica/Troll",
  "Asia/Beirut",
  "Asia/Gaza",
  "Atlantic/Azores",
  "Australia/Lord_Howe",
  "Europe/Berlin",
  "Pacific/Chatham",
];

const formats = new Map(
  ZONES.map((tz) => [tz, new Intl.DateTimeFormat("en-GB", { timeZone: tz, timeZoneName: "longOffset" })]),
);

/** Local minus UTC time, ms. */
function offsetOf(tz: string, at: number): number {
  const text =
    formats
      .get(tz)
      ?.formatToParts(at)
      .find(({ type }) => type === "timeZoneName")?.value ?? "";
  const [, sign = "+", hours = "0", minutes = "0"] = /GMT(?:([+-])(\d\d):(\d\d))?/.exec(text) ?? [];
  return (sign === "-" ? -1 : 1) * (Number(hours) * HOUR + Number(minutes) * MINUTE);
}

/** The days after which the offset is another one. */
function changes(tz: string, from: number, until: number): number[] {
  const days = Array.from({ length: (until - from) / DAY }, (_none, nth) => from + nth * DAY);
  return days.filter((day) => offsetOf(tz, day) !== offsetOf(tz, day + DAY));
}

interface Minute {
  readonly at: number;
  readonly local: number;
}

/** The minutes of three days. Zones change at quarters of an hour. */
function minutesAround(tz: string, day: number): Minute[] {
  const minutes: Minute[] = [];
  for (let quarter = day - DAY; quarter < day + 2 * DAY; quarter += 15 * MINUTE) {
    const offset = offsetOf(tz, quarter);
    for (let at = quarter; at < quarter + 15 * MINUTE; at += MINUTE) minutes.push({ at, local: at + offset });
  }
  return minutes;
}

interface Pattern {
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
}

const matches = ({ minutes, hours }: Pattern, local: number): boolean =>
  minutes.has(new Date(local).getUTCMinutes()) && hours.has(new Date(local).getUTCHours());

/** Every minute whose local time matches. */
const byElapsedTime = (all: readonly Minute[], pattern: Pattern): number[] =>
  all.filter(({ local }) => matches(pattern, local)).map(({ at }) => at);

/** For each local time that matches, on a day that exists: the first minute that shows this time or a later one. */
function byTheDay(all: readonly Minute[], pattern: Pattern): number[] {
  const days = new Set(all.map(({ local }) => Math.floor(local / DAY)));
  const found = new Set<number>();
  let shown = all[0]?.local ?? 0;
  for (const { at, local } of all) {
    for (; shown < local; shown += MINUTE)
      if (days.has(Math.floor((shown + MINUTE) / DAY)) && matches(pattern, shown + MINUTE)) found.add(at);
  }
  return [...found];
}

/** A generator of whole numbers below `max`. */
function numbers(seed: number): (max: number) => number {
  let state = seed;
  return (max) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return Math.floor((state / 0x80000000) * max);
  };
}

interface Field {
  readonly text: string;
  readonly values: ReadonlySet<number>;
}

function fieldOf(random: (max: number) => number, size: number, near: number): Field {
  const step = [1, 2, 3, 5, 7, 15][random(6)] ?? 1;
  const some = random(2) === 0 ? [near] : [random(size), near, random(size)];
  if (random(3) > 0) return { text: some.join(","), values: new Set(some) };
  const every = Array.from({ length: size }, (_none, value) => value).filter((value) => value % step === 0);
  return { text: step === 1 ? "*" : `*/${step}`, values: new Set(every) };
}

test.each(ZONES)(
  "SCH2 around each change in %s the times are those that a search of all minutes finds",
  (tz) => {
    const random = numbers(tz.length * 7_919);
    for (const day of changes(tz, Date.UTC(2026, 0, 1), Date.UTC(2028, 0, 1))) {
      const all = minutesAround(tz, day);
      const change = all.findIndex(
        ({ at, local }, nth) => local - at !== (all[nth - 1]?.local ?? local) - (all[nth - 1]?.at ?? at),
      );
      for (let nth = 0; nth < 5; nth++) {
        // Half of the patterns name a time in the gap, or in the hour that repeats.
        const near = new Date(
          (all[change - 1]?.local ?? 0) + (random(2) === 0 ? random(90) - 30 : random(1_440)) * MINUTE,
        );
        const minute = fieldOf(random, 60, near.getUTCMinutes());
        const hour = fieldOf(random, 24, near.getUTCHours());
        const pattern = { minutes: minute.values, hours: hour.values };
        const isFixed = !/[*/]/.test(minute.text + hour.text);
        const [first = 0, last = 0] = [all[0]?.at, all.at(-1)?.at];
        const expected = (isFixed ? byTheDay : byElapsedTime)(all, pattern).filter((at) => at > first);
        const cron = `${minute.text} ${hour.text} * * *`;
        const found: number[] = [];
        for (let at = nextTime({ cron: [cron], tz }, first); at !== undefined && at <= last;) {
          found.push(at);
          at = nextTime({ cron: [cron], tz }, at);
        }
        expect(
          found.map((at) => new Date(at).toISOString()),
          `${cron} ${tz}`,
        ).toEqual(expected.map((at) => new Date(at).toISOString()));
      }
    }
  },
  60_000,
);
