/** tests: the registration of webhooks: secrets as files, terminals and providers give them, and names (EVT12) */
import { createHmac } from "node:crypto";
import { expect, test } from "vitest";
import * as v from "valibot";
import { HOOKS, type WebhookVerification, verifyWebhook } from "../src/auth/webhook.ts";

const NOW = 1_800_000_000_000;
const TIME = String(NOW / 1_000);
const BODY = '{"id":"1"}\r\n';
const BYTES = Buffer.from("the bytes of the secret");
const STANDARD = `whsec_${BYTES.toString("base64")}`;
const PLAIN = "a-plain-secret";
const hmac = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text);

const SIGNED = {
  standard: {
    "webhook-id": "m-1",
    "webhook-timestamp": TIME,
    "webhook-signature": `v1,AAAA v1a,AAAA v1,${hmac(BYTES, `m-1.${TIME}.${BODY}`).digest("base64")}`,
  },
  stripe: { "Stripe-Signature": `t=${TIME},v1=${hmac(PLAIN, `${TIME}.${BODY}`).digest("hex")},v0=00` },
  github: { "X-Hub-Signature-256": `sha256=${hmac(PLAIN, BODY).digest("hex")}` },
};

const secretOf = (type: WebhookVerification["type"]): string => (type === "standard" ? STANDARD : PLAIN);

const isVerified = async (verify: WebhookVerification, body = BODY): Promise<boolean> =>
  (await verifyWebhook(verify, new Headers(SIGNED[verify.type]), body, NOW)) !== undefined;

test.each(["standard", "stripe", "github"] as const)(
  "EVT12 blanks at the ends of a secret of %s do not count, and the body does to its last byte",
  async (type) => {
    const secret = secretOf(type);
    for (const given of [secret, `${secret}\n`, `${secret}\r\n`, ` ${secret}\t`, ["an-old-secret", `${secret} `]])
      expect(await isVerified({ type, secret: given })).toBe(true);
    for (const body of [BODY.trim(), BODY.replace("\r", ""), `${BODY}\n`])
      expect(await isVerified({ type, secret }, body)).toBe(false);
    expect(await isVerified({ type, secret: `${secret}x` })).toBe(false);
  },
);

test.each(["", "\n", " ".repeat(20), "short\n\n\n\n", "whsec_\t\t", ["a-plain-secret", " ".repeat(8)]])(
  "EVT12 RUN7 the secret %j is refused where it is configured",
  (secret) => {
    for (const type of ["standard", "stripe", "github"] as const)
      expect(v.is(HOOKS, { pay: { verify: { type, secret } } })).toBe(false);
    expect(v.is(HOOKS, { pay: { verify: { type: "stripe", secret: PLAIN } } })).toBe(true);
  },
);

test("EVT12 two sources of one tenant that could make the same id of an event are refused where they are configured", () => {
  const verify = { type: "stripe", secret: PLAIN } as const;
  const hook = { verify };
  expect(v.safeParse(HOOKS, { pay: hook, pay_eu: hook }).issues?.[0]?.message).toMatch(/"pay" and "pay_eu"/);
  expect(v.is(HOOKS, { pay_eu_2: { verify, tenantId: "t" }, pay_eu: { verify, tenantId: "t" } })).toBe(false);
  for (const apart of [
    { pay: hook, payments: hook, "pay-eu": hook, eu_pay: hook, us_pay: hook },
    { pay: { verify, tenantId: "t" }, pay_eu: { verify, tenantId: "u" }, pay_us: hook },
  ])
    expect(v.is(HOOKS, apart)).toBe(true);
});
