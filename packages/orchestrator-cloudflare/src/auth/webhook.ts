/**
 * The verification of webhooks (EVT12): Standard Webhooks, Stripe and GitHub.
 *
 * Owns: their signatures. A signature is compared in constant time by the platform, over the body as it arrived. Stripe and
 * Standard Webhooks sign a time too, so an old request is refused.
 */
import * as v from "valibot";

/** How far the time of a request may differ from the clock, ms. */
const TOLERANCE_MS = 300_000;

/** A secret, of which a file or a terminal may have left blanks at its ends. */
const secret = v.pipe(
  v.string(),
  v.check((text) => text.trim().length >= 8, "must have at least 8 characters, without blanks at its ends"),
);

/** The secret, or several while one is replaced. */
const secrets = v.union([secret, v.array(secret)]);

const WEBHOOK_VERIFICATION = v.variant("type", [
  v.strictObject({ type: v.literal("standard"), secret: secrets }),
  v.strictObject({ type: v.literal("stripe"), secret: secrets }),
  v.strictObject({ type: v.literal("github"), secret: secrets }),
]);

/**
 * How requests are verified. `standard`: headers `webhook-id`, `webhook-timestamp` and `webhook-signature`, or those of Svix.
 * `stripe`: `Stripe-Signature`. `github`: `X-Hub-Signature-256`.
 */
export type WebhookVerification = v.InferOutput<typeof WEBHOOK_VERIFICATION>;

/** A source of webhooks. Paths are in the body, which is the data of the event. */
export interface Hook {
  readonly verify: WebhookVerification;
  /** The tenant of its events. */
  readonly tenantId?: string | undefined;
  /** A path to the name of the event. Default: `type`, of GitHub the header `X-GitHub-Event`. */
  readonly name?: string | undefined;
  /** In front of the name: `stripe.` makes `stripe.invoice.paid` of `invoice.paid`. */
  readonly prefix?: string | undefined;
  /** A path to the id of the event. Default: that of the signed headers, else `id`. */
  readonly id?: string | undefined;
  /** A path to the key. Default: that of the declaration of the event. */
  readonly key?: string | undefined;
}

/** How the ids of events of webhooks begin (EVT12). No caller may choose such an id. */
export const HOOK_EVENT_PREFIX = "hook_";

/** Returns the id of the event that a source's webhook becomes. `HOOKS` keeps the ids of two sources apart. */
export function hookEventId(source: string, id: string): string {
  return `${HOOK_EVENT_PREFIX}${source}_${id}`;
}

/** The registered sources. Two of one tenant cannot make the same id of an event. */
export const HOOKS: v.GenericSchema<Readonly<Record<string, Hook>>> = v.pipe(
  v.record(
    v.string(),
    v.strictObject({
      verify: WEBHOOK_VERIFICATION,
      tenantId: v.optional(v.string()),
      name: v.optional(v.string()),
      prefix: v.optional(v.string()),
      id: v.optional(v.string()),
      key: v.optional(v.string()),
    }),
  ),
  v.check(
    (hooks) => collision(hooks) === undefined,
    ({ input }) => {
      const [source, other] = collision(input) ?? [];
      return `the sources ${JSON.stringify(source)} and ${JSON.stringify(other)} could have the same event: rename one, so that it does not begin with the other and "_"`;
    },
  ),
);

/** Returns two sources of one tenant of which the second one begins with the first and the separator. */
function collision(hooks: Readonly<Record<string, Hook>>): readonly [string, string] | undefined {
  const sources = Object.keys(hooks);
  for (const source of sources) {
    const other = sources.find(
      (name) => name.startsWith(`${source}_`) && hooks[name]?.tenantId === hooks[source]?.tenantId,
    );
    if (other !== undefined) return [source, other];
  }
  return undefined;
}

/** The headers that a verified request proved, for a later check of the stored body, and the id that its sender gave it. */
export interface VerifiedWebhook {
  readonly id?: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

interface Signed {
  readonly text: string;
  readonly signatures: readonly Uint8Array[];
  readonly keyOf: (text: string) => Uint8Array;
  readonly at?: number | undefined;
  readonly id?: string | undefined;
  readonly names: readonly string[];
}

/** Verifies a request with this body. `undefined`: it is not signed with one of the secrets, or too old. */
export async function verifyWebhook(
  { type, secret: given }: WebhookVerification,
  headers: Headers,
  body: string,
  now: number,
): Promise<VerifiedWebhook | undefined> {
  const signed = READERS[type](headers, body);
  if (signed === undefined) return undefined;
  if (signed.at !== undefined && !(Math.abs(now - signed.at) <= TOLERANCE_MS)) return undefined;
  const verified = await isSigned(signed, typeof given === "string" ? [given] : given);
  if (!verified) return undefined;
  const proved = signed.names.flatMap((name) => {
    const value = headers.get(name);
    return value === null ? [] : [[name, value] as const];
  });
  return { id: signed.id, headers: Object.fromEntries(proved) };
}

async function isSigned({ text, signatures, keyOf }: Signed, all: readonly string[]): Promise<boolean> {
  const message = new TextEncoder().encode(text);
  let found = false;
  // All pairs are tried, so the time does not say which one is right.
  for (const one of all) {
    const key = await crypto.subtle.importKey("raw", keyOf(one.trim()) as BufferSource, HMAC, false, ["verify"]);
    for (const signature of signatures)
      found = (await crypto.subtle.verify("HMAC", key, signature as BufferSource, message)) || found;
  }
  return found;
}

const HMAC = { name: "HMAC", hash: "SHA-256" };

/** Signatures of one request that are tried. */
const SIGNATURES_MAX = 10;

const READERS: Readonly<Record<WebhookVerification["type"], (headers: Headers, body: string) => Signed | undefined>> = {
  standard: (headers, body) => {
    const prefix = headers.has("webhook-id") ? "webhook" : "svix";
    const names = ["id", "timestamp", "signature"].map((name) => `${prefix}-${name}`);
    const [id, time, signature] = names.map((name) => headers.get(name));
    if (!id || !time || !signature) return undefined;
    const signatures = signature
      .split(" ")
      .flatMap((part) => (part.startsWith("v1,") ? fromBase64(part.slice(3)) : []));
    return {
      text: `${id}.${time}.${body}`,
      signatures: bounded(signatures),
      keyOf: standardKey,
      at: seconds(time),
      id,
      names,
    };
  },
  stripe: (headers, body) => {
    const parts = (headers.get("Stripe-Signature") ?? "").split(",").map((part) => part.trim().split("="));
    const time = parts.find(([name]) => name === "t")?.[1];
    if (time === undefined) return undefined;
    const signatures = parts.flatMap(([name, value = ""]) => (name === "v1" ? fromHexText(value) : []));
    return {
      text: `${time}.${body}`,
      signatures: bounded(signatures),
      keyOf: utf8,
      at: seconds(time),
      names: ["stripe-signature"],
    };
  },
  github: (headers, body) => {
    const [name, value = ""] = (headers.get("X-Hub-Signature-256") ?? "").split("=");
    if (name !== "sha256") return undefined;
    const id = headers.get("X-GitHub-Delivery") ?? undefined;
    return { text: body, signatures: fromHexText(value), keyOf: utf8, id, names: ["x-hub-signature-256"] };
  },
};

function bounded(signatures: readonly Uint8Array[]): readonly Uint8Array[] {
  return signatures.slice(0, SIGNATURES_MAX);
}

/** A time that is no number is never within the tolerance. */
function seconds(text: string): number {
  return /^\d{1,12}$/.test(text) ? Number(text) * 1_000 : NaN;
}

/** The secret of Standard Webhooks is base64 after a prefix. */
function standardKey(text: string): Uint8Array {
  return fromBase64(text.replace(/^whsec_/, ""))[0] ?? utf8(text);
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Returns the bytes in a list, or an empty list. */
function fromBase64(text: string): Uint8Array[] {
  try {
    return [Uint8Array.from(atob(text), (char) => char.codePointAt(0) ?? 0)];
  } catch {
    return [];
  }
}

function fromHexText(text: string): Uint8Array[] {
  if (!/^(?:[0-9a-f]{2}){32}$/i.test(text)) return [];
  return [Uint8Array.from(text.match(/../g) ?? [], (byte) => parseInt(byte, 16))];
}
