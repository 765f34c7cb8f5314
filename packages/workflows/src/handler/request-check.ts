/**
 * The check of a request to a step handler: its signature, its audience, and whether it is new (SEC3).
 *
 * Owns: the keys, the nonces of this process, and the deployer's store of nonces, which knows those of other processes.
 */
import { HoldfastError } from "@holdfast/protocol";
import {
  AUDIENCE_HEADER,
  SIGNATURE_HEADER,
  SeenNonces,
  audienceProblem,
  checkSigningKey,
  verifyRequest,
} from "@holdfast/protocol/transport";

/** A store of nonces that all instances of a step handler share, and that survives restarts. */
export interface NonceStore {
  /**
   * Stores a nonce until `expiresAt` (ms since 1970), and returns whether it was stored before. Must be atomic: of two
   * concurrent calls with one nonce, one returns true.
   */
  seen(nonce: string, expiresAt: number): boolean | Promise<boolean>;
}

export interface RequestCheckOptions {
  /**
   * Secrets shared with the orchestrator. A request signed with any of them is served. `"unsigned"` serves all requests:
   * use it for service bindings only, never for a handler that listens on a network.
   */
  readonly signingKeys: readonly string[] | "unsigned";
  /**
   * For whom requests must be signed: the text of the dispatcher's option `audience`, by default its `url`. A request for
   * another handler with the same key is refused. The header `Host` is never compared. Without this option the audience is
   * not compared, and the handler warns once.
   */
  readonly audience?: string | undefined;
  /** Knows the nonces that other instances, or earlier processes, have accepted. Without it a handler knows its own only. */
  readonly nonces?: NonceStore | undefined;
}

/** The answer to a request that is not served. */
export interface Refusal {
  readonly status: 401 | 425 | 503;
  readonly code: string;
  readonly message: string;
}

/** The key of a request that is served. */
export interface SignedBy {
  readonly key: string | undefined;
}

export class RequestCheck {
  /** `undefined`: every request is served. */
  readonly #keys: readonly string[] | undefined;
  readonly #audience: string | undefined;
  readonly #store: NonceStore | undefined;
  readonly #nonces = new SeenNonces();

  /** @throws HoldfastError `INVALID_ARGUMENT` for invalid options (RUN7). */
  constructor({ signingKeys, audience, nonces }: RequestCheckOptions) {
    this.#keys = readKeys(signingKeys);
    const problem = audience === undefined ? undefined : audienceProblem(audience);
    if (problem !== undefined) reject("audience", problem);
    if (nonces !== undefined && typeof nonces?.seen !== "function")
      reject("nonces", "must be an object with the method seen(nonce, expiresAt)");
    this.#audience = audience;
    this.#store = nonces;
    if (this.#keys !== undefined && audience === undefined) console.warn(NO_AUDIENCE);
  }

  get isOpen(): boolean {
    return this.#keys === undefined;
  }

  /** Returns why a request is not served; otherwise the key that signed it, or `undefined` if it need not be signed. */
  async check(request: Request, body: string, now: number): Promise<Refusal | SignedBy> {
    if (this.#keys === undefined) return { key: undefined };
    const { pathname, search } = new URL(request.url);
    const audience = request.headers.get(AUDIENCE_HEADER) ?? undefined;
    const signed = { method: request.method, path: pathname + search, body, audience };
    const verdict = await verifyRequest(signed, request.headers.get(SIGNATURE_HEADER), this.#keys, now);
    if (!verdict.ok) return verdict.clocks ? notNow("clocks_differ", verdict.why) : unauthorized(verdict.why);
    if (this.#audience !== undefined && audience !== this.#audience) return unauthorized(anotherAudience(audience));
    if (!this.#nonces.add(verdict.nonce, verdict.at, now)) return REPEATED;
    return (await this.#refusalByStore(verdict.nonce, verdict.at)) ?? { key: verdict.key };
  }

  async #refusalByStore(nonce: string, at: number): Promise<Refusal | undefined> {
    try {
      const seen = await this.#store?.seen(nonce, SeenNonces.expiryOf(at));
      // Whatever else a store answers does not say that the nonce is new.
      return this.#store === undefined || seen === false ? undefined : REPEATED;
    } catch (error) {
      console.error("holdfast: the store of nonces (createStepHandler.nonces) failed", error);
      return {
        status: 503,
        code: "nonces_unavailable",
        message:
          "This step handler cannot know whether the request is new: its store of nonces failed. Send it again later.",
      };
    }
  }
}

const NO_AUDIENCE =
  "holdfast: createStepHandler has no audience, so a request that was recorded on its way to another step handler with the same key would be served. Set audience to the URL that the dispatcher calls.";

function anotherAudience(audience: string | undefined): string {
  const is = audience === undefined ? "for no audience" : `for the audience ${JSON.stringify(audience)}`;
  return `it is signed ${is}, which is not this handler's; set the option audience of the dispatcher and of createStepHandler to one text`;
}

/**
 * The refusal of a request that has a valid signature. The orchestrator signs each attempt by itself, so it sends another
 * one (DUR8): a proxy may have sent this one twice, and a clock that has jumped is set right again.
 */
function notNow(code: string, why: string): Refusal {
  return { status: 425, code, message: `This step handler serves each signed request once, and soon: ${why}.` };
}

const REPEATED: Refusal = notNow("request_repeated", "it was seen before");

function unauthorized(why: string): Refusal {
  return { status: 401, code: "unauthorized", message: `This step handler serves signed requests only: ${why}.` };
}

function readKeys(keys: RequestCheckOptions["signingKeys"]): readonly string[] | undefined {
  if (keys === "unsigned") return undefined;
  if (!Array.isArray(keys) || keys.length === 0)
    reject("signingKeys", 'must be a list of secrets, or "unsigned" where only a service binding reaches this handler');
  for (const key of keys) checkSigningKey(key);
  return keys;
}

function reject(option: string, problem: string): never {
  throw new HoldfastError("INVALID_ARGUMENT", `createStepHandler.${option}: ${problem}.`);
}
