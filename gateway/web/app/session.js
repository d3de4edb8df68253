// Who is signed in: the one place where tokens are kept, renewed, and given up.
//
// A session lives in localStorage, where all tabs of this browser find its newest tokens; each tab remembers which
// session it shows. So a second tab is the same person, and may become another one without ending anything.

import { deviceName } from "./device.js";
import { Offline, Problem, readAnswer, reach, SignedOut, waitedFor } from "./problems.js";

const SESSION = "igloo.session.";
// Apart from the tokens: a tab that writes a name must not put back tokens that another has just renewed.
const PERSON = "igloo.person.";
const NEWEST = "igloo.newest-session";
const THIS_TAB = "igloo.this-tab";
const NOBODY = "nobody";
// A token about to expire would be refused on its way.
const MARGIN_MILLISECONDS = 3000;
const LONGEST_WAIT_SECONDS = 60;

const otherTabs = new BroadcastChannel("igloo.sessions");
const renewals = new Map();
let mine = NOBODY;
let whenEnded = () => {};

// A new tab shows whoever signed in last, and goes on showing them whoever signs in after that.
show(sessionStorage.getItem(THIS_TAB) ?? localStorage.getItem(NEWEST) ?? NOBODY);

/** Say what to do, with the reason, when this tab's session turns out to have ended. */
export function whenSessionEnds(callback) {
  whenEnded = callback;
}

otherTabs.onmessage = ({ data }) => data.session_id === mine && leave(data.reason);

/** Give the session that this tab shows, or null. */
export function session() {
  const tokens = read(SESSION + mine);
  return tokens && { ...tokens, person: read(PERSON + mine) };
}

function read(key) {
  try {
    return JSON.parse(localStorage.getItem(key));
  } catch {
    return null;
  }
}

function write({ access_token, refresh_token, expires_in, user_id, session_id }) {
  const expires_at = Date.now() + expires_in * 1000 - MARGIN_MILLISECONDS;
  localStorage.setItem(SESSION + session_id, JSON.stringify({ access_token, refresh_token, expires_at, user_id, session_id }));
}

/** Remember who the session's person is, to be shown before the server has answered. */
export function introduce(person) {
  if (mine !== NOBODY) localStorage.setItem(PERSON + mine, JSON.stringify(person));
}

function show(id) {
  mine = id;
  sessionStorage.setItem(THIS_TAB, id);
}

/** Become nobody in this tab alone: the session goes on in the others. */
export function stepAside() {
  show(NOBODY);
}

/** Forget a session that is over, here and in every other tab, and say why. */
export function end(reason, id = mine) {
  otherTabs.postMessage({ session_id: id, reason });
  localStorage.removeItem(SESSION + id);
  localStorage.removeItem(PERSON + id);
  if (localStorage.getItem(NEWEST) === id) localStorage.removeItem(NEWEST);
  if (id === mine) leave(reason);
}

function leave(reason) {
  if (mine === NOBODY) return;
  stepAside();
  whenEnded(reason);
}

async function grant(parameters) {
  const body = () => ({ method: "POST", body: new URLSearchParams(parameters) });
  let response = await reach("/v1/auth/token", body());
  if (response.status === 429 && (await waitedFor(response, LONGEST_WAIT_SECONDS))) response = await reach("/v1/auth/token", body());
  const granted = await readAnswer(response);
  // Some networks answer everything with a page of their own, and that with 200.
  if (!granted?.access_token) throw new Offline("");
  return granted;
}

/** Sign in with some proof of who one is: the parameters of a grant. Tabs opened from now on show this person too. */
export async function signIn(proof) {
  const granted = await grant({ ...proof, device_name: deviceName(), platform: "web" });
  write(granted);
  show(granted.session_id);
  localStorage.setItem(NEWEST, granted.session_id);
}

/** Give an access token that is good by this browser's clock. */
export async function freshToken() {
  const current = known(mine);
  return current.access_token && Date.now() < current.expires_at ? current.access_token : renewedToken(current.access_token);
}

/** Give a newer access token than the refused one; whoever asks at the same time, in any tab, shares one renewal. */
export function renewedToken(refused, id = mine) {
  if (!renewals.has(id)) renewals.set(id, alone(`igloo.renewal.${id}`, () => renew(id, refused)).finally(() => renewals.delete(id)));
  return renewals.get(id);
}

/** Run something while no other tab runs it. Without a secure context there are no locks; the server bears that race. */
async function alone(name, work) {
  return navigator.locks ? navigator.locks.request(name, work) : work();
}

async function renew(id, refused) {
  const current = known(id);
  // Another tab was faster. Browsers tell tabs of each other's writes a moment late: who still sees the old token
  // renews with it, and the server gives the same successor again.
  if (current.access_token && current.access_token !== refused) return current.access_token;
  const granted = await grant({ grant_type: "refresh_token", refresh_token: current.refresh_token }).catch((error) => refusedRenewal(error, id));
  // Signed out while the answer was under way: the server ends what it gave with all the rest.
  known(id);
  write(granted);
  return granted.access_token;
}

function known(id) {
  const current = read(SESSION + id);
  if (current) return current;
  end("unknown", id);
  throw new SignedOut("");
}

function refusedRenewal(error, id) {
  if (!(error instanceof Problem) || error.status === 429) throw error;
  // Only a clear no ends a session: a server that is away, or a stranger answering for it, signs nobody out.
  if (error.oauthError !== "invalid_grant") throw new Offline("", { cause: error });
  end(error.reason ?? error.code, id);
  throw new SignedOut("", { cause: error });
}

/** Forget the tokens, then tell the server that this device is done, whatever it says. */
export async function signOut() {
  const token = session()?.refresh_token;
  end("signed_out");
  if (token) await reach("/v1/auth/revoke", { method: "POST", body: new URLSearchParams({ token }), keepalive: true }).catch(() => null);
}
