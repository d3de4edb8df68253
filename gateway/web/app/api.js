// Talks to igloo: adds the access token, renews it when it has run out, and turns refusals into Problem.

import { dropped, readAnswer, reach, waitedFor } from "./problems.js";
import { freshToken, renewedToken } from "./session.js";

const LONGEST_WAIT_SECONDS = 10;

/** Send one request and return the JSON of its answer, or null for an empty one. */
export async function call(method, path, { body, headers } = {}) {
  const send = (token) => reach(path, { method, headers: headersOf(token, body, headers), body: body === undefined ? undefined : JSON.stringify(body) });
  const token = await freshToken();
  let response = await send(token);
  if (response.status === 401) {
    dropped(response);
    response = await send(await renewedToken(token));
  }
  // What was refused for its number was not done: it may be sent again as it is.
  if (response.status === 429 && (await waitedFor(response, LONGEST_WAIT_SECONDS))) response = await send(await freshToken());
  return readAnswer(response);
}

function headersOf(token, body, headers = {}) {
  const sent = { Accept: "application/json", Authorization: `Bearer ${token}`, ...headers };
  return body === undefined ? sent : { ...sent, "Content-Type": "application/json" };
}

export const get = (path) => call("GET", path);
export const put = (path, body) => call("PUT", path, { body });
export const del = (path) => call("DELETE", path);

/** Create something; the key makes a repeated request harmless. */
export const create = (path, body, key = crypto.randomUUID()) => call("POST", path, { body, headers: { "Idempotency-Key": key } });

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
