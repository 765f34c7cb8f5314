/**
 * Answers as plain data, which objects send by RPC and the Worker turns into responses.
 */

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** `null`: no body. */
  readonly text: string | null;
}

const JSON_TYPE = { "Content-Type": "application/json" } as const;

/** Makes an answer with a body in JSON. */
export function jsonAnswer(body: unknown, status = 200, headers: Answer["headers"] = {}): Answer {
  return { status, headers: { ...JSON_TYPE, ...headers }, text: JSON.stringify(body) };
}

/** Returns a response whose headers can be changed. */
export function responseOf({ status, headers, text }: Answer): Response {
  return new Response(text, { status, headers });
}
