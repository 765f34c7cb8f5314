/**
 * URLs of tokens in texts for readers who may not see their ids, and in logs (SEC7).
 */

/** What stands in place of an id. */
export const HIDDEN = "[hidden]";

/**
 * URLs of tokens, of this run and of others. In a URL within a URL slashes are encoded, and in JSON within JSON they may have
 * backslashes: fifteen after four times. Without a bound, a text of backslashes takes time in proportion to its square. A
 * segment is an id of at most 256 bytes, encoded at most three times.
 */
const URLS =
  /((\\{0,15}\/|%(?:25)*2f)(?:public\2tokens\2(?:(?:(?!\2)[^\s"<>]){1,1800}\2){2,4}|api\2runs\2(?:(?!\2)[^\s"<>]){1,1800}\2tokens\2))[0-9a-f]{32}/gi;

/** Returns a text without the generated ids in URLs of tokens. */
export function hideTokenUrls(text: string): string {
  return text.replaceAll(URLS, `$1${HIDDEN}`);
}
