/**
 * The values of `format` that are checked. Others are annotations, as in JSON Schema.
 *
 * Owns: their expressions, each of which takes time in proportion to the text: no part can match what the next one matches.
 */
interface Format {
  /** As in "must be a date". */
  readonly name: string;
  readonly fits: (text: string) => boolean;
}

const DATE = /^(\d{4})-(\d\d)-(\d\d)$/;
const TIME = /^([01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?(?:[zZ]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;
const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function isDate(text: string): boolean {
  const [, year = 0, month = 0, day = 0] = (DATE.exec(text) ?? []).map(Number);
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = month === 2 && isLeap ? 29 : (DAYS[month - 1] ?? 0);
  return day >= 1 && day <= days;
}

export const FORMATS: Readonly<Record<string, Format>> = {
  date: { name: "a date, such as 2030-01-31", fits: isDate },
  time: { name: "a time with its zone, such as 14:30:00Z", fits: (text) => TIME.test(text) },
  "date-time": {
    name: "a date and a time with its zone, such as 2030-01-31T14:30:00Z",
    fits: (text) => /^[tT ]$/.test(text.slice(10, 11)) && isDate(text.slice(0, 10)) && TIME.test(text.slice(11)),
  },
  email: { name: "an e-mail address", fits: (text) => /^[^\s@]{1,64}@[^\s@.]+(?:\.[^\s@.]+)+$/.test(text) },
  uri: { name: "a URL", fits: (text) => /^[a-zA-Z][a-zA-Z\d+.-]*:[^\s<>"{}|\\^`]+$/.test(text) },
  uuid: { name: "a UUID", fits: (text) => /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i.test(text) },
};
