/**
 * The credentials of the page and its client of the API.
 *
 * Owns: the token, which stays in the session storage of this tab and is never in a URL. Without a token the page tries the
 * API as it is: it may be open, or use Cloudflare Access. An answer 401 shows the sign-in panel over the page, and the
 * page continues when the reader has signed in. Reports the clock of the server to `clock.ts`.
 */
import { type Signal, signal } from "@preact/signals";
import { ApiError, type Client, createClient } from "@holdfast/workflows/client";
import { noteServerTime } from "./clock.ts";

const KEY = "holdfast.token";

/** The API wants credentials: there are none, or they are not valid any longer. */
export const signedOut: Signal<boolean> = signal(false);
/** Changes with each sign-in. Data of the API is read again then. */
export const session: Signal<number> = signal(0);

let client = clientFor(storedToken());

export function api(): Client {
  return client;
}

export function hasToken(): boolean {
  return storedToken() !== undefined;
}

/** @throws HoldfastError if no header can hold the token; ApiError if the API does not accept it. */
export async function signIn(token: string): Promise<void> {
  const candidate = clientFor(token);
  try {
    await candidate.list({ limit: 1 });
  } catch (error) {
    if (!(error instanceof ApiError) || error.status === 401) throw error;
    // The token is valid and may do other things, or there is no index.
  }
  sessionStorage.setItem(KEY, token);
  client = candidate;
  signedOut.value = false;
  session.value++;
}

export function signOut(): void {
  sessionStorage.removeItem(KEY);
  client = clientFor(undefined);
  signedOut.value = true;
}

function storedToken(): string | undefined {
  return sessionStorage.getItem(KEY) ?? undefined;
}

function clientFor(token: string | undefined): Client {
  return createClient({ url: location.origin, token, attempts: 2, timeoutMs: 20_000, fetch: observed });
}

async function observed(request: Request): Promise<Response> {
  const response = await fetch(request);
  noteServerTime(response.headers.get("Date"));
  if (response.status === 401) signedOut.value = true;
  return response;
}
