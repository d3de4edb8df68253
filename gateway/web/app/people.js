// People to follow: Facebook friends, and whoever lives in this demo.

import { get } from "./api.js";
import { avatar, h, openSheet } from "./dom.js";
import { openProfile, relationsChanged } from "./profile.js";
import { session } from "./session.js";
import { suggestions } from "./suggestions.js";
import { texts } from "./texts.js";

/** Open the list of the demo's people, so that there is somebody to follow. */
export async function openPeople(people) {
  const others = people.filter((person) => person.username !== session().person.username);
  const asked = others.map((person) => get(`/v1/users?username=${encodeURIComponent(person.username)}`).then((page) => page.data[0]).catch(() => null));
  const [friends, ...found] = await Promise.all([suggestions(relationsChanged), ...asked]);
  openSheet(texts.people, texts.close, ...(friends ? [friends] : []), h("ul", { class: "people" }, found.filter(Boolean).map(entry)));
}

function entry(person) {
  return h("li", {},
    h("button", { type: "button", class: "person", onclick: () => openProfile(person.id) },
      avatar(person), h("span", { class: "names" }, h("strong", {}, person.display_name), h("small", {}, `@${person.username}`)),
      person.relationship?.following ? h("span", { class: "chip" }, texts.unfollow) : null));
}
