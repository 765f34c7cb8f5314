/**
 * Generators of hostile tickets: texts that differ from a valid ticket in a few places, and nonsense.
 *
 * Owns: the changes. The result is never one of the valid tickets.
 */
import * as fc from "fast-check";

const BASE64 = Array.from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");
const HEX = Array.from("0123456789abcdef");

/** Characters that decoders of base64 ignore, map to another one, or stop at. */
const ODD = ["=", "==", "+", "/", " ", "\n", "\0", "%00", ".", "é", "\u202e", "\ud800"] as const;

const contentOf = (ticket: string): string => ticket.split(".")[0] ?? "";
const codeOf = (ticket: string): string => ticket.split(".")[1] ?? "";

/** Generates changes of these tickets, which must belong to different callers or paths. */
export function hostileTicket(valid: readonly string[]): fc.Arbitrary<string> {
  const one = fc.constantFrom(...valid);
  const replaced = fc
    .tuple(one, fc.nat(10_000), fc.constantFrom(...BASE64))
    .map(([ticket, at, char]) => splice(ticket, at, 1, char));
  const inserted = fc
    .tuple(one, fc.nat(10_000), fc.constantFrom(...ODD, ...BASE64))
    .map(([ticket, at, text]) => splice(ticket, at, 0, text));
  const cut = fc.tuple(one, fc.nat(10_000)).map(([ticket, at]) => ticket.slice(0, at % ticket.length));
  const exchanged = fc.tuple(one, one).map(([a, b]) => `${contentOf(a)}.${codeOf(b)}`);
  const code = fc.array(fc.constantFrom(...HEX), { minLength: 32, maxLength: 32 }).map((digits) => digits.join(""));
  const guessed = fc.tuple(one, code).map(([ticket, guess]) => `${contentOf(ticket)}.${guess}`);
  const rewritten = fc.tuple(one, fc.jsonValue({ maxDepth: 3 })).map(([ticket, value]) => {
    const content = Buffer.from(JSON.stringify(value)).toString("base64url");
    return `${content}.${codeOf(ticket)}`;
  });
  const huge = fc.tuple(one, fc.integer({ min: 2, max: 60 })).map(([ticket, times]) => ticket.repeat(times));
  const nonsense = fc.oneof(fc.string({ unit: "binary", maxLength: 60 }), fc.constantFrom("", ".", "..", "null", "{}"));
  return fc
    .oneof(replaced, inserted, cut, exchanged, guessed, rewritten, huge, nonsense)
    .filter((text) => !valid.includes(text));
}

function splice(text: string, at: number, removed: number, added: string): string {
  const place = at % text.length;
  return text.slice(0, place) + added + text.slice(place + removed);
}

/** The text in a query; a lone surrogate has no encoding. */
export function inQuery(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}
