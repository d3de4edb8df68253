// People one may know: Facebook friends who are here as well, with a button to follow each.

import { accountTexts } from "./account-texts.js";
import { del, get, put } from "./api.js";
import { avatar, h } from "./dom.js";
import { attempt } from "./messages.js";
import { openProfile } from "./profile.js";
import { texts } from "./texts.js";

const SHOWN = 10;

/** Make the section, or null when there is nobody to suggest; `onFollow` is told of each follow. */
export async function suggestions(onFollow) {
  // They are an extra: where they cannot be had, the rest of the screen does without.
  const page = await get(`/v1/users/me/suggestions?limit=${SHOWN}`).catch(() => null);
  if (!page?.data.length) return null;
  return h("section", { class: "suggestions", "aria-labelledby": "suggestions" },
    h("h3", { id: "suggestions" }, accountTexts.suggestions),
    h("p", { class: "hint" }, accountTexts.suggestionsHint),
    h("ul", { class: "people" }, page.data.map((person) => entry(person, onFollow))));
}

function entry(person, onFollow) {
  const follow = h("button", { type: "button", class: "primary small", "aria-label": accountTexts.followName(person.display_name), "aria-pressed": "false", onclick: () => attempt(toggle) }, texts.follow);

  async function toggle() {
    const following = follow.getAttribute("aria-pressed") === "true";
    const between = await (following ? del : put)(`/v1/users/${person.id}/follow`);
    follow.textContent = between.requested ? texts.requested : between.following ? texts.unfollow : texts.follow;
    follow.setAttribute("aria-pressed", String(between.following || between.requested));
    onFollow();
  }

  return h("li", { class: "row" },
    h("button", { type: "button", class: "person", onclick: () => openProfile(person.id) },
      avatar(person), h("span", { class: "names" }, h("strong", {}, person.display_name), h("small", {}, `@${person.username}`))),
    follow);
}
