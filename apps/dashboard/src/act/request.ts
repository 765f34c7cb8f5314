/**
 * A request of the API as data: what a form shows is what it sends.
 */
export interface ApiRequest {
  readonly verb: "POST" | "PATCH" | "DELETE";
  readonly path: string;
  readonly body?: Readonly<Record<string, unknown>> | undefined;
}

/** The path of a run, or of a route of it. */
export function pathOf(runId: string, ...ends: readonly string[]): string {
  return ["/api/runs", ...[runId, ...ends].map((part) => encodeURIComponent(part.toWellFormed()))].join("/");
}

/** Returns the request as HTTP writes it. Fields that are `undefined` are not sent. */
export function requestText({ verb, path, body }: ApiRequest): string {
  return `${verb} ${path}${body === undefined ? "" : `\n\n${JSON.stringify(body, null, 2)}`}`;
}

/** Returns an id that nobody has chosen before. Works on pages without TLS, too, where `randomUUID` is missing. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
