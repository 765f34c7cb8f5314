/**
 * The answer of a deployment's verifier, read strictly (SEC1).
 *
 * Owns: what each answer means, the schema of a principal, and the log line for a verifier that is wrong. The line names
 * the kind of the answer and its fields, and never a value, which may be secret.
 *
 * Invariants
 * - A1 Only `true`, a valid principal, and the explicit value "open" admit a request.
 */
import * as v from "valibot";
import { hasMethods, problemOf } from "../options.ts";
import { ApiRefusal } from "../refusal.ts";
import { isId, isScopes, isSubject, isTenantMeta } from "./credentials.ts";
import { type Principal, SCOPES, type VerifyRequest, closed } from "./principal.ts";

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
  const result = await resultOf(request, verify ?? closed);
  if (result === true) return ANYBODY;
  if (result === false) throw unauthorized("Send valid credentials, for example: Authorization: Bearer <token>.");
  const problem = result instanceof Response ? responseProblem(result) : principalProblem(result);
  if (problem === undefined) return result as Response | Principal;
  console.error(
    `holdfast: verifyRequest gave ${problem}. It must give true, false, a principal, or a Response with a status of at least 400. The request was answered with 401.`,
  );
  throw unauthorized("The credentials could not be verified.");
}

async function resultOf(request: Request, verify: VerifyRequest): Promise<unknown> {
  try {
    return await verify(request);
  } catch (thrown) {
    if (thrown instanceof Response) return thrown;
    if (thrown instanceof ApiRefusal) return thrown.toResponse();
    console.error(`holdfast: verifyRequest threw ${describeThrown(thrown)}. The request was answered with 401.`);
    throw unauthorized("The credentials could not be verified.");
  }
}

function unauthorized(message: string): ApiRefusal {
  return new ApiRefusal("unauthorized", message, undefined, { "WWW-Authenticate": "Bearer" });
}

function responseProblem({ status, bodyUsed }: Response): string | undefined {
  if (status < 400) return `a Response with the status ${status}`;
  return bodyUsed ? "a Response whose body is used up: make another one for each request" : undefined;
}

function principalProblem(result: unknown): string | undefined {
  if (result === null) return "null";
  if (Array.isArray(result)) return "an array";
  if (hasMethods("then")(result)) return "a promise of a promise";
  if (typeof result !== "object") return result === undefined ? "undefined" : `a ${typeof result}`;
  try {
    const problem = problemOf(PRINCIPAL, result, "principal");
    return problem && `an invalid principal (${problem.replace(/\.$/, "")})`;
  } catch {
    return "an object whose fields cannot be read";
  }
}

/** Names the kind of a thrown value and its place. An error's message may quote the credentials, so it is left out. */
function describeThrown(thrown: unknown): string {
  if (!(thrown instanceof Error)) return `a value of the type ${typeof thrown}`;
  const { name, message, stack } = thrown;
  const kind = /^\w{1,64}$/.test(name) ? name : "Error";
  const frames = String(stack).split(message).at(-1) ?? "";
  const place = /^ +at .+$/m.exec(frames)?.[0].trim();
  return place === undefined ? kind : `${kind} ${place}`;
}
