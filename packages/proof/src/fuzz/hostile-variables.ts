/**
 * Generators of hostile configuration: the texts of variables, with fields that are misspelt or invalid.
 */
import * as fc from "fast-check";

const FIELDS = [
  "token",
  "tokens",
  "scope",
  "scopes",
  "tenant",
  "tenantId",
  "subject",
  "tenantMeta",
  "requestBytes",
  "requestByte",
  "Authorization",
  "__proto__",
  "constructor",
] as const;

const PLAIN = ["30 days", "-1", "1.5h", "0", "NaN", "null", "x", "[", "{", '"'] as const;

/** Generates the text of a variable: lists of tokens, settings and nonsense. Some contain the secret. */
export function hostileVariable(secret: string): fc.Arbitrary<string> {
  const secrets = fc.constantFrom<unknown>(secret, [secret], { [secret]: secret }, ["read"], "read", "30d");
  const value = fc.oneof(fc.jsonValue({ maxDepth: 3 }), secrets);
  const object = fc.dictionary(fc.constantFrom(...FIELDS, secret), value, { maxKeys: 4 });
  const entry = fc.oneof(
    object,
    object.map((one) => ({ ...one, token: secret })),
    value,
  );
  const list = fc.array(entry, { maxLength: 3 });
  const text = fc.constantFrom(...PLAIN, `"${secret}"`, `{${secret}`);
  return fc.oneof(
    fc.oneof(list, object).map((one) => JSON.stringify(one)),
    text,
    fc.string({ maxLength: 30 }),
  );
}
