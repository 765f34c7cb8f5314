/**
 * The answer of a deployment's verifier, read strictly (SEC1).
 *
 * Owns: what each answer means, the schema of a principal, and the log line for a verifier that is wrong. The line names
 * the kind of the answer and its fields, and never a value, which may be secret.
 *
 * Invariants
 * - A1 Only `true`, a valid principal, and the explicit value "open" admit a request.
 * - A2 Each field of an answer is read once: what is checked is what is used.
 */
import * as v from "valibot";
import { hasMethods, readOptions } from "../options.ts";
import { ApiRefusal } from "../refusal.ts";
import { isId, isScopes, isSubject, isTenantMeta } from "./credentials.ts";
import { type Principal, SCOPES, type VerifyRequest, closed, isCheckedPrincipal } from "./principal.ts";

/** The principal of every request to an open deployment, and of a verifier's `true`. */
const ANYBODY: Principal = { subject: "api", scopes: SCOPES };

/** A verifier, or the explicit value of an open deployment. */
export const VERIFIER = v.custom<VerifyRequest | "open">(
  (value) => typeof value === "function" || value === "open",
  'must be a verifier, which is a function, or "open"',
);

const PRINCIPAL = v.strictObject({
  subject: isSubject,
  tenantId: v.optional(isId),
  scopes: isScopes,
  tenantMeta: v.optional(isTenantMeta),
} satisfies Record<keyof Principal, v.GenericSchema>);

/**
 * Returns the principal of the request, or the response that the verifier sends. Without a verifier: `503
 * auth_not_configured`.
 * @throws ApiRefusal `unauthorized`
 */
export async function authenticate(
  request: Request,
  verify: VerifyRequest | "open" | null | undefined,
): Promise<Principal | Response> {
  if (verify === "open") return ANYBODY;
  const given = await resultOf(request, verify ?? closed);
  if (given === false) throw unauthorized("Send valid credentials, for example: Authorization: Bearer <token>.");
  const answer = readAnswer(given);
  if (answer instanceof Response) return answer;
  if (typeof answer === "string") throw wrongAnswer(`gave ${answer}`);
  if (isBodyTaken(request)) throw wrongAnswer("read the body of the request, which it must read from request.clone()");
  return answer;
}

async function resultOf(request: Request, verify: VerifyRequest): Promise<unknown> {
  try {
    return await verify(request);
  } catch (thrown) {
    if (isA(Response, thrown)) return thrown;
    if (isA(ApiRefusal, thrown)) return thrown.toResponse();
    console.error(`holdfast: verifyRequest threw ${describeThrown(thrown)}. The request was answered with 401.`);
    throw unauthorized("The credentials could not be verified.");
  }
}

function wrongAnswer(what: string): ApiRefusal {
  console.error(
    `holdfast: verifyRequest ${what}. It must give true, false, a principal, or a Response with a status of at least 400. The request was answered with 401.`,
  );
  return unauthorized("The credentials could not be verified.");
}

function unauthorized(message: string): ApiRefusal {
  return new ApiRefusal("unauthorized", message, undefined, { "WWW-Authenticate": "Bearer" });
}

/** Whether nobody else can read the body any more. */
function isBodyTaken({ body, bodyUsed }: Request): boolean {
  return bodyUsed || body?.locked === true;
}

/** Like `instanceof`, which throws for some proxies. */
function isA<T>(type: abstract new (...args: never[]) => T, value: unknown): value is T {
  try {
    return value instanceof type;
  } catch {
    return false;
  }
}

/** Returns a copy of the answer, so that it cannot change after the check; a text: what is wrong. */
function readAnswer(given: unknown): Principal | Response | string {
  if (given === true) return ANYBODY;
  if (isCheckedPrincipal(given)) return given;
  try {
    return isA(Response, given) ? readResponse(given) : readPrincipal(given);
  } catch {
    return "an object whose fields cannot be read";
  }
}

function readResponse(given: Response): Response | string {
  const { status, body, bodyUsed } = given;
  if (status < 400) return `a Response with the status ${status}`;
  if (bodyUsed || body?.locked === true) return "a Response whose body is used up: make another one for each request";
  return new Response(body, given);
}

function readPrincipal(given: unknown): Principal | string {
  if (given === null) return "null";
  if (Array.isArray(given)) return "an array";
  if (hasMethods("then")(given)) return "a promise of a promise";
  if (typeof given !== "object") return given === undefined ? "undefined" : `a ${typeof given}`;
  const { value, problem } = readOptions(PRINCIPAL, given, "principal");
  return problem === undefined ? (value as Principal) : `an invalid principal (${problem.replace(/\.$/, "")})`;
}

/** Names the kind of a thrown value and its place. An error's message may quote the credentials, so it is left out. */
function describeThrown(thrown: unknown): string {
  try {
    return describeError(thrown);
  } catch {
    return "a value whose fields cannot be read";
  }
}

function describeError(thrown: unknown): string {
  if (!(thrown instanceof Error)) return `a value of the type ${typeof thrown}`;
  const { name, message, stack } = thrown;
  const kind = /^\w{1,64}$/.test(name) ? name : "Error";
  const frames = String(stack).split(message).at(-1) ?? "";
  const place = /^ +at .+$/m.exec(frames)?.[0].trim();
  return place === undefined ? kind : `${kind} ${place}`;
}
