// Where the demo client begins: shows the sign-in, the home feed, or what this address is for.

import { whenSignedOut } from "./api.js";
import { openComposer } from "./composer.js";
import { avatar, h, icon, iconButton } from "./dom.js";
import { homeFeed } from "./feed.js";
import { attempt, tell } from "./messages.js";
import { bell } from "./notifications.js";
import { onRelationsChange, openPeople, openProfile } from "./profile.js";
import { session, signIn, signOut } from "./session.js";
import { language, texts } from "./texts.js";

const screen = document.getElementById("screen");

function brand(level) {
  return h(level, { class: "brand" }, h("img", { src: "/app/icon.svg", alt: "", width: 36, height: 36 }), "igloo");
}

function showPlain() {
  screen.replaceChildren(h("main", { class: "plain" }, brand("h1"), h("p", {}, texts.plain), docsLink()));
}

function docsLink() {
  return h("p", {}, h("a", { href: "/docs", class: "docs-link" }, icon("book"), texts.docs));
}

function showSignIn(people) {
  const choose = (person) => attempt(async () => { await signIn(person); showHome(people); });
  screen.replaceChildren(h("main", { class: "sign-in" },
    h("div", { class: "hero" }, brand("h1"), h("p", { class: "tagline" }, texts.tagline)),
    h("section", { "aria-labelledby": "choose" },
      h("h2", { id: "choose" }, texts.chooseTitle),
      h("p", { class: "hint" }, texts.chooseHint),
      h("ul", { class: "faces" }, people.map((person) => h("li", {},
        h("button", { type: "button", class: "face", "aria-label": texts.signInAs(person.display_name), onclick: () => choose(person) },
          avatar(person, "large"), h("span", {}, person.display_name)))))),
    docsLink()));
}

function showHome(people) {
  const feed = homeFeed();
  const { person } = session();
  const leave = async () => { await signOut(); showSignIn(people); };
  onRelationsChange(() => feed.reload());
  const compose = () => attempt(() => openComposer((post) => feed.add(post, () => tell(texts.published))));
  screen.replaceChildren(
    h("header", { class: "bar-top" },
      brand("h1"),
      h("nav", { "aria-label": "igloo" },
        iconButton("people", texts.people, () => attempt(() => openPeople(people))),
        bell(),
        iconButton("leave", `${texts.signOut} (${person.display_name})`, leave),
        h("button", { type: "button", class: "icon-button", "aria-label": texts.mine(person.display_name), onclick: () => openProfile(session().user_id) }, avatar(person, "small")))),
    feed.root,
    h("button", { type: "button", class: "compose", "aria-label": texts.newPost, title: texts.newPost, onclick: compose }, icon("plus")));
}

async function start() {
  document.documentElement.lang = language;
  const response = await fetch("/demo.json", { cache: "no-store" }).catch(() => null);
  if (!response?.ok) return showPlain();
  const { people } = await response.json();
  whenSignedOut(() => { tell(texts.signedOut); showSignIn(people); });
  // A stack that was rebuilt knows other people: a session of its predecessor is worth nothing.
  const known = session() && people.some((person) => person.username === session().person.username);
  return known ? showHome(people) : showSignIn(people);
}

start();
