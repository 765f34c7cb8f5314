/**
 * Ids of runs that the command starts.
 *
 * Owns: their form, that of the ids which the server makes: 26 characters that sort by time. The client would give a key
 * in place of an id, and an id that follows from a key is longer and does not sort.
 */
const DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

export function newRunId(now: number): string {
  let time = "";
  for (let left = now; time.length < 10; left = Math.floor(left / 32)) time = DIGITS.charAt(left % 32) + time;
  const random = crypto.getRandomValues(new Uint8Array(16));
  return time + [...random].map((byte) => DIGITS.charAt(byte % 32)).join("");
}
