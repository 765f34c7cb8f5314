/**
 * Signatures of requests: of an orchestrator to a step handler, and of callers to the API (SEC3).
 *
 * Owns: the signed text (method, path, time, nonce, body, audience and headers), and its verification. Keys are shared
 * secrets. A verifier accepts several keys, so a key can be replaced without downtime. A verifier must store nonces: see
 * `SeenNonces`.
 */
import { HoldfastError } from "../errors.ts";
import { fromHex, toHex } from "../hex.ts";
import { HOST_LIMITS } from "../limits.ts";

export const SIGNATURE_HEADER = "Holdfast-Signature";

/** The header with the audience of a request to a step handler: the text that its signature covers. */
export const AUDIENCE_HEADER = "Holdfast-Audience";

/** The headers of a request to the API that its signature covers, if they are present. */
const SIGNED_HEADERS = ["content-type", "idempotency-key", "prefer"] as const;

const AUDIENCE_CHARS_MAX = 2_048;

/** Why a value is no audience; `undefined`: it is one. */
export function audienceProblem(value: unknown): string | undefined {
  const valid = typeof value === "string" && /^[!-~]+$/.test(value) && value.length <= AUDIENCE_CHARS_MAX;
  return valid
    ? undefined
    : `must be a text of 1 to ${AUDIENCE_CHARS_MAX} visible ASCII characters without blanks, such as the URL of the step handler`;
}

/** The largest difference between the time of a signature and the verifier's clock, ms. */
export const SIGNATURE_AGE_MS_MAX = 300_000;

const KEY_CHARS_MIN = 16;

export interface SignedRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly body: string;
  /** For whom the request is. Sent in the header `Holdfast-Audience`. */
  readonly audience?: string | undefined;
  /** The headers of a request to the API. The signature covers `Content-Type`, `Idempotency-Key` and `Prefer`. */
  readonly headers?: { get(name: string): string | null } | undefined;
}

/**
 * Returns the value of the signature header.
 * @param nonce A value that is different for each request. A repeated one is rejected.
 * @throws HoldfastError `INVALID_ARGUMENT` for a key under 16 characters.
 */
export async function signRequest(request: SignedRequest, key: string, now: number, nonce: string): Promise<string> {
  const secret = await importKey(key, "sign");
  const signature = await crypto.subtle.sign("HMAC", secret, await signedText(request, now, nonce));
  return `t=${now},n=${nonce},v1=${toHex(new Uint8Array(signature))}`;
}

export type Verdict =
  /** `key`: the one of the verifier's keys that the signature fits. */
  | { readonly ok: true; readonly nonce: string; readonly at: number; readonly key: string }
  /** `clocks`: the signature fits, and only its time is not near that of this clock. */
  | { readonly ok: false; readonly why: string; readonly clocks?: true };

/** Verifies a signature against every key, in constant time. */
export async function verifyRequest(
  request: SignedRequest,
  header: string | null,
  keys: readonly string[],
  now: number,
): Promise<Verdict> {
  if (header === null) return { ok: false, why: `the header ${SIGNATURE_HEADER} is missing` };
  const [, time = "", nonce = "", hex = ""] = /^t=(\d{1,16}),n=([\w-]{8,64}),v1=([0-9a-f]{64})$/.exec(header) ?? [];
  if (hex === "") return { ok: false, why: `the header ${SIGNATURE_HEADER} is malformed` };
  const at = Number(time);
  const data = await signedText(request, at, nonce);
  let match: string | undefined;
  for (const key of keys) {
    const secret = await importKey(key, "verify");
    if (await crypto.subtle.verify("HMAC", secret, fromHex(hex), data)) match = key;
  }
  if (match === undefined)
    return {
      ok: false,
      why: "the signature does not match; the two sides hold different keys, or something on the way changed the request",
    };
  if (Math.abs(now - at) > SIGNATURE_AGE_MS_MAX)
    return {
      ok: false,
      why: `the signature is ${Math.round((now - at) / 1_000)} s old; check both clocks`,
      clocks: true,
    };
  return { ok: true, nonce, at, key: match };
}

/** The nonces of recent requests, in bounded memory: a recorded request is rejected when it is sent again. */
export class SeenNonces {
  readonly #seen = new Map<string, number>();
  readonly #max: number;

  /** When a nonce may be forgotten: no verifier accepts its signature then, ms since 1970. Clocks may differ. */
  static expiryOf(at: number): number {
    return at + 2 * SIGNATURE_AGE_MS_MAX;
  }

  constructor(max: number = HOST_LIMITS.nonces) {
    this.#max = max;
  }

  /** Stores a nonce. Returns false if it was stored before. */
  add(nonce: string, at: number, now: number): boolean {
    for (const [old, seenAt] of this.#seen) {
      // A signature of that age is rejected without its nonce. The map is in the order of arrival.
      if (this.#seen.size < this.#max && now - seenAt <= 2 * SIGNATURE_AGE_MS_MAX) break;
      this.#seen.delete(old);
    }
    if (this.#seen.has(nonce)) return false;
    this.#seen.set(nonce, Math.max(at, now));
    return true;
  }
}

/** @throws HoldfastError `INVALID_ARGUMENT` for a key that is missing, or too short to be a secret. */
export function checkSigningKey(key: unknown): void {
  if (typeof key === "string" && key.length >= KEY_CHARS_MIN) return;
  throw new HoldfastError(
    "INVALID_ARGUMENT",
    `A signing key must have at least ${KEY_CHARS_MIN} characters. Make one with: openssl rand -hex 32`,
  );
}

/** Imported keys by use and text. Not promises of keys: on Workers a promise belongs to the request that made it. */
const imported = new Map<string, CryptoKey>();
const IMPORTED_MAX = 64;

/** @throws HoldfastError `INVALID_ARGUMENT` for a key under 16 characters. */
export async function importKey(key: string, use: "sign" | "verify"): Promise<CryptoKey> {
  checkSigningKey(key);
  const name = `${use} ${key}`;
  const known = imported.get(name);
  if (known !== undefined) return known;
  const made = await crypto.subtle.importKey("raw", encode(key), { name: "HMAC", hash: "SHA-256" }, false, [use]);
  if (imported.size >= IMPORTED_MAX) imported.clear();
  imported.set(name, made);
  return made;
}

async function signedText(
  { method, path, body, audience, headers }: SignedRequest,
  at: number,
  nonce: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const digest = toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", encode(body))));
  const more = audience === undefined ? [] : [`audience:${audience}`];
  for (const name of SIGNED_HEADERS) {
    const value = headers?.get(name) ?? undefined;
    if (value !== undefined) more.push(`${name}:${value}`);
  }
  return encode(["holdfast-v1", at, nonce, method.toUpperCase(), path, digest, ...more].join("\n"));
}

function encode(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}
