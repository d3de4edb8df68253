// Talks to igloo: adds the access token, renews it once when it has run out, and turns refusals into Problem.

import { accessToken, forget, renew, session } from "./session.js";

/** A refusal as RFC 9457 tells it; `code` is what a program may branch on. */
export class Problem extends Error {
  constructor(status, body) {
    super(body.detail || body.title || `HTTP ${status}`);
    this.status = status;
    this.code = body.code ?? null;
    this.requestId = body.request_id ?? null;
    this.errors = body.errors ?? [];
  }
}

/** The server could not be reached at all. */
export class Offline extends Error {}

/** The session has ended, which was told once; whoever still waits for an answer has nothing to add. */
export class SignedOut extends Error {}

let onSignedOut = () => {};

/** Say what to do when a session turns out to have ended. */
export function whenSignedOut(callback) {
  onSignedOut = callback;
}

/** Send one request and return the JSON of its answer, or null for an empty one. */
export async function call(method, path, { body, headers } = {}) {
  let response = await send(method, path, body, headers);
  if (response.status === 401 && session()) {
    await renewOrLeave();
    response = await send(method, path, body, headers);
  }
  const text = await response.text();
  const isJson = (response.headers.get("Content-Type") ?? "").includes("json");
  const json = text && isJson ? JSON.parse(text) : null;
  if (!response.ok) throw new Problem(response.status, json ?? { title: response.statusText });
  return json;
}

export const get = (path) => call("GET", path);
export const put = (path, body) => call("PUT", path, { body });
export const del = (path) => call("DELETE", path);

/** Create something; the key makes a repeated request harmless. */
export const create = (path, body, key = crypto.randomUUID()) => call("POST", path, { body, headers: { "Idempotency-Key": key } });

async function send(method, path, body, headers = {}) {
  const sent = { Accept: "application/json", ...headers };
  if (accessToken()) sent.Authorization = `Bearer ${accessToken()}`;
  if (body !== undefined) sent["Content-Type"] = "application/json";
  try {
    return await fetch(path, { method, headers: sent, body: body === undefined ? undefined : JSON.stringify(body), cache: "no-store" });
  } catch (error) {
    throw new Offline("", { cause: error });
  }
}

async function renewOrLeave() {
  try {
    await renew();
  } catch (error) {
    // Only a clear no ends a session: a server that is away for a minute logs nobody out.
    if (!error.problem || error.problem.status >= 500 || error.problem.status === 429) throw new Offline("", { cause: error });
    if (session()) {
      forget();
      onSignedOut();
    }
    throw new SignedOut("", { cause: error });
  }
}

/** Walk through the pages of a list, one call to `next` a page; null when there is no more. */
export function pages(path) {
  let cursor = null;
  let done = false;
  const separator = path.includes("?") ? "&" : "?";
  return async function next() {
    if (done) return null;
    const page = await get(cursor ? `${path}${separator}cursor=${encodeURIComponent(cursor)}` : path);
    cursor = page.page?.next_cursor ?? null;
    done = cursor === null;
    return page.data;
  };
}
