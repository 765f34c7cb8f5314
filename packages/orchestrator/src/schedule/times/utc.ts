/**
 * Times in UTC as text, without a `Date`.
 *
 * Owns: the two forms, of ISO 8601: the extended one for parsers, and the basic one for ids of runs (SCH4).
 */

const DAY_MS = 86_400_000;

/** Returns `2027-03-14T07:00:00Z`. Milliseconds are cut. */
export function utcText(ms: number): string {
  const { date, time } = partsOf(ms);
  return `${date.join("-")}T${time.join(":")}Z`;
}

/** Returns `2027-03-14T07:00:00Z`, or `2027-03-14T07:00:00.500Z` if the time has milliseconds. */
export function isoText(ms: number): string {
  const { rest } = partsOf(ms);
  return rest === 0 ? utcText(ms) : utcText(ms).replace("Z", `.${pad(rest, 3)}Z`);
}

/** Returns `20270314T070000Z`, or `20270314T070000.500Z` if the time has milliseconds. */
export function utcId(ms: number): string {
  const { date, time, rest } = partsOf(ms);
  const fraction = rest === 0 ? "" : `.${pad(rest, 3)}`;
  return `${date.join("")}T${time.join("")}${fraction}Z`;
}

function partsOf(ms: number): { readonly date: string[]; readonly time: string[]; readonly rest: number } {
  const days = Math.floor(ms / DAY_MS);
  const inDay = ms - days * DAY_MS;
  const seconds = Math.floor(inDay / 1_000);
  const time = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60];
  const [year, month, day] = civilOf(days);
  return {
    date: [pad(year, 4), pad(month, 2), pad(day, 2)],
    time: time.map((part) => pad(part, 2)),
    rest: inDay - seconds * 1_000,
  };
}

/**
 * Returns year, month and day of a number of days since 1970-01-01, in the Gregorian calendar. Years are counted from March,
 * so the leap day is the last one, and eras of 400 years all have the same length.
 */
function civilOf(days: number): readonly [year: number, month: number, day: number] {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1_460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const fromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9;
  const day = dayOfYear - Math.floor((153 * fromMarch + 2) / 5) + 1;
  return [yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day];
}

function pad(value: number, length: number): string {
  return String(value).padStart(length, "0");
}
