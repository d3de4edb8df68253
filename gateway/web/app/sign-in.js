// The sign-in screen: Facebook's web flow, or at once as one of the demo's people.

import { accountTexts } from "./account-texts.js";
import { avatar, h, icon } from "./dom.js";
import { describe } from "./messages.js";
import { Problem } from "./problems.js";
import { signIn } from "./session.js";
import { texts } from "./texts.js";
import { leaveForFacebook, WebSignInFailed } from "./web-sign-in.js";

export function brand(level) {
  return h(level, { class: "brand" }, h("img", { src: "/app/icon.svg", alt: "", width: 36, height: 36 }), "igloo");
}

export function docsLink() {
  return h("p", {}, h("a", { href: "/docs", class: "docs-link" }, icon("book"), texts.docs));
}

/** Say in plain words why a sign-in came to nothing. */
export function whyFailed(error) {
  const words = accountTexts.failed;
  if (error instanceof WebSignInFailed) {
    const said = words[error.code] ?? words[error.error] ?? words.server_error;
    return error.link ? h("span", {}, said, " ", h("a", { href: error.link }, error.link)) : said;
  }
  if (!(error instanceof Problem)) return describe(error);
  if (error.code === "account_suspended") return [words.account_suspended, error.reason].filter(Boolean).join(" ");
  return words[error.code] ?? words[error.oauthError] ?? describe(error);
}

/** Make the screen; `notice` says what happened before, `onSignedIn` is called once somebody is signed in. */
export function signInScreen(people, notice, onSignedIn) {
  const said = h("div", { class: "notice", role: "status", tabIndex: -1, hidden: !notice }, notice ?? "");
  const facebook = h("button", { type: "button", class: "facebook wide", onclick: leave }, accountTexts.facebook);

  function rest() {
    facebook.disabled = false;
    facebook.textContent = accountTexts.facebook;
  }

  function say(words) {
    said.replaceChildren(words);
    said.hidden = false;
    said.focus();
  }

  async function leave() {
    facebook.disabled = true;
    facebook.textContent = accountTexts.leaving;
    // The back button may show this very page again, as it was left.
    addEventListener("pageshow", rest, { once: true });
    await leaveForFacebook().catch((error) => { rest(); say(whyFailed(error)); });
  }

  async function choose(person) {
    try {
      await signIn({ grant_type: "facebook_access_token", facebook_access_token: person.facebook_access_token });
      await onSignedIn();
    } catch (error) {
      say(whyFailed(error));
    }
  }

  return h("main", { class: "sign-in" },
    h("div", { class: "hero" }, brand("h1"), h("p", { class: "tagline" }, texts.tagline)),
    said,
    h("section", { "aria-labelledby": "facebook-hint" }, facebook, h("p", { class: "hint", id: "facebook-hint" }, accountTexts.facebookHint)),
    h("section", { "aria-labelledby": "choose" },
      h("h2", { id: "choose" }, texts.chooseTitle),
      h("p", { class: "hint" }, texts.chooseHint),
      h("ul", { class: "faces" }, people.map((person) => h("li", {},
        h("button", { type: "button", class: "face", "aria-label": texts.signInAs(person.display_name), onclick: () => choose(person) },
          avatar(person, "large"), h("span", {}, person.display_name)))))),
    docsLink());
}
