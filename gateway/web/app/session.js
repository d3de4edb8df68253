// Who is signed in on this tab, and the one place where tokens are kept and renewed.

const KEY = "igloo.session";
let current = read();
let renewal = null;

function read() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY));
  } catch {
    return null;
  }
}

/** Give the signed-in session of this tab, or null; every tab may be another person. */
export function session() {
  return current;
}

export function accessToken() {
  return current?.access_token ?? null;
}

function keep(granted, person) {
  current = { ...granted, person };
  sessionStorage.setItem(KEY, JSON.stringify(current));
}

export function forget() {
  current = null;
  sessionStorage.removeItem(KEY);
}

async function grant(parameters) {
  const response = await fetch("/v1/auth/token", { method: "POST", body: new URLSearchParams(parameters) });
  const body = await response.json();
  if (!response.ok) throw Object.assign(new Error(body.detail || body.title), { problem: body });
  return body;
}

/** Sign in with a person's Facebook token, as an app does with the one that Facebook's SDK hands it. */
export async function signIn(person) {
  keep(await grant({
    grant_type: "facebook_access_token",
    facebook_access_token: person.facebook_access_token,
    device_name: "Demo client",
    platform: "web",
  }), { display_name: person.display_name, username: person.username });
}

/** Renew the access token; requests that fail at the same time share one renewal. */
export function renew() {
  renewal ??= grant({ grant_type: "refresh_token", refresh_token: current.refresh_token })
    .then((granted) => keep(granted, current.person))
    .finally(() => { renewal = null; });
  return renewal;
}

/** Tell the server that this device is done, then forget the tokens whatever it says. */
export async function signOut() {
  const token = current?.refresh_token;
  forget();
  if (token) await fetch("/v1/auth/revoke", { method: "POST", body: new URLSearchParams({ token }) }).catch(() => null);
}
