// What may come instead of an answer: a refusal, no connection, the end of the session.

/** A refusal as RFC 9457 tells it; `code` is what a program may branch on. */
export class Problem extends Error {
  constructor(status, body = {}, retryAfterSeconds = null) {
    super(body.detail || body.title || `HTTP ${status}`);
    this.status = status;
    this.code = body.code ?? null;
    this.reason = body.reason ?? null;
    this.oauthError = body.error ?? null;
    this.requestId = body.request_id ?? null;
    this.errors = body.errors ?? [];
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** The server could not be reached at all. */
export class Offline extends Error {}

/** The session has ended, which was told once; whoever still waits for an answer has nothing to add. */
export class SignedOut extends Error {}

/** Send a request; a connection that fails or hangs is Offline. */
export async function reach(path, { patienceSeconds = 30, ...options } = {}) {
  try {
    return await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(patienceSeconds * 1000), ...options });
  } catch (error) {
    throw new Offline("", { cause: error });
  }
}

/** Return the JSON of an answer, null for an empty one; throw Problem for a refusal. */
export async function readAnswer(response) {
  const text = await response.text().catch((error) => { throw new Offline("", { cause: error }); });
  const isJson = (response.headers.get("Content-Type") ?? "").includes("json");
  const json = text && isJson ? JSON.parse(text) : null;
  if (!response.ok) throw new Problem(response.status, json ?? { title: response.statusText }, retryAfter(response));
  return json;
}

/** Give up an answer that nobody will read: an unread one holds its connection, and a browser has six to a server. */
export function dropped(response) {
  response.body?.cancel().catch(() => null);
}

/** Wait as long as a 429 asks for, if that is not too long to wait for; tell whether it was. */
export async function waitedFor(response, mostSeconds) {
  const seconds = retryAfter(response) ?? 1;
  if (seconds > mostSeconds) return false;
  dropped(response);
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  return true;
}

function retryAfter(response) {
  const seconds = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
  return Number.isNaN(seconds) ? null : Math.max(0, seconds);
}
