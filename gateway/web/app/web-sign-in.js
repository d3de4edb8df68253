// "Continue with Facebook": igloo's web flow, as any public OAuth client takes it (RFC 6749, 7636, 9207).

import { reach, readAnswer } from "./problems.js";
import { signIn } from "./session.js";

const CLIENT_ID = "igloo-demo";
const BEGUN = "igloo.web-sign-in";

/** The flow came back without a person; `code` says why, `error` of which kind that is, `link` where it would work. */
export class WebSignInFailed extends Error {
  constructor(code, { error = null, link = null } = {}) {
    super(code);
    Object.assign(this, { code, error, link });
  }
}

/** Leave for Facebook; what is needed to believe the answer stays in this tab alone. */
export async function leaveForFacebook() {
  // Only secure addresses have the hash that PKCE needs; 127.0.0.1 and localhost count as secure.
  if (!globalThis.isSecureContext || !crypto.subtle) throw new WebSignInFailed("insecure_address");
  const { issuer, authorization_endpoint } = await discover();
  if (new URL(authorization_endpoint).origin !== location.origin) throw new WebSignInFailed("other_address", { link: new URL("/", authorization_endpoint).href });
  const begun = { state: secret(), verifier: secret(), issuer };
  sessionStorage.setItem(BEGUN, JSON.stringify(begun));
  location.assign(`${authorization_endpoint}?${new URLSearchParams({
    response_type: "code",
    client_id: CLIENT_ID,
    redirect_uri: redirectUri(),
    state: begun.state,
    code_challenge: await challengeOf(begun.verifier),
    code_challenge_method: "S256",
  })}`);
}

/** Take the flow's answer out of the address bar, and what was kept for it out of the tab: both are good once. */
export function takeAnswer() {
  const answer = new URLSearchParams(location.search);
  if (!answer.has("code") && !answer.has("error")) return null;
  history.replaceState(null, "", location.pathname);
  const begun = JSON.parse(sessionStorage.getItem(BEGUN));
  sessionStorage.removeItem(BEGUN);
  return { answer, begun };
}

/** Check the answer and exchange its code for a session. */
export async function finish({ answer, begun }) {
  if (!begun || answer.get("state") !== begun.state) throw new WebSignInFailed("wrong_state");
  if (answer.get("iss") !== begun.issuer) throw new WebSignInFailed("wrong_issuer");
  if (answer.has("error")) throw new WebSignInFailed(answer.get("error_code") ?? answer.get("error"), { error: answer.get("error") });
  await signIn({
    grant_type: "authorization_code",
    code: answer.get("code"),
    redirect_uri: redirectUri(),
    client_id: CLIENT_ID,
    code_verifier: begun.verifier,
  });
}

async function discover() {
  const found = await readAnswer(await reach("/.well-known/openid-configuration"));
  if (!found?.authorization_endpoint) throw new WebSignInFailed("not_offered");
  return found;
}

function redirectUri() {
  return `${location.origin}/`;
}

/** 256 random bits, as a state and as the shortest verifier that RFC 7636 allows. */
function secret() {
  return base64url(crypto.getRandomValues(new Uint8Array(32)));
}

async function challengeOf(verifier) {
  return base64url(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier))));
}

function base64url(bytes) {
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
