// Where the demo client begins: shows the sign-in, the home feed, or what this address is for.

import { accountTexts, whyEnded } from "./account-texts.js";
import { get } from "./api.js";
import { openComposer } from "./composer.js";
import { receipt, receiptScreen } from "./deletion.js";
import { avatar, closeSheets, h, icon, iconButton } from "./dom.js";
import { homeFeed } from "./feed.js";
import { attempt, tell } from "./messages.js";
import { bell } from "./notifications.js";
import { openPeople } from "./people.js";
import { onRelationsChange, openProfile } from "./profile.js";
import { introduce, session, signOut, whenSessionEnds } from "./session.js";
import { brand, docsLink, signInScreen, whyFailed } from "./sign-in.js";
import { language, texts } from "./texts.js";
import { finish, takeAnswer } from "./web-sign-in.js";

const screen = document.getElementById("screen");

function showPlain() {
  screen.replaceChildren(h("main", { class: "plain" }, brand("h1"), h("p", {}, texts.plain), docsLink()));
}

function showWaiting() {
  screen.replaceChildren(h("main", { class: "plain" }, brand("h1"), h("p", { role: "status", class: "waiting" }, h("span", { class: "spinner" }), accountTexts.finishing)));
}

function showSignIn(people, notice = null) {
  screen.replaceChildren(signInScreen(people, notice, () => welcome(people)));
  screen.querySelector(".notice")?.focus();
}

function showReceipt(people) {
  screen.replaceChildren(receiptScreen(receipt(), brand("h1"), () => showSignIn(people)));
  screen.querySelector("h2").focus();
}

/** Learn who has just signed in, then show what is theirs. */
async function welcome(people) {
  const [account, profile] = await Promise.all([get("/v1/account"), get("/v1/users/me")]);
  introduce({ display_name: account.display_name, username: profile.username });
  showHome(people);
}

function showHome(people) {
  const feed = homeFeed();
  const { person } = session();
  onRelationsChange(() => feed.reload());
  const compose = () => attempt(() => openComposer((post) => feed.add(post, () => tell(texts.published))));
  screen.replaceChildren(
    h("header", { class: "bar-top" },
      brand("h1"),
      h("nav", { "aria-label": "igloo" },
        iconButton("people", texts.people, () => attempt(() => openPeople(people))),
        bell(),
        iconButton("leave", `${texts.signOut} (${person.display_name})`, signOut),
        h("button", { type: "button", class: "icon-button", "aria-label": texts.mine(person.display_name), onclick: () => openProfile(session().user_id) }, avatar(person, "small")))),
    feed.root,
    h("button", { type: "button", class: "compose", "aria-label": texts.newPost, title: texts.newPost, onclick: compose }, icon("plus")));
}

/** Go on with what Facebook's dialog answered. An answer that was used already changes nothing for who is signed in. */
async function arrive(people, answer) {
  showWaiting();
  try {
    await finish(answer);
    await welcome(people);
  } catch (error) {
    if (session()?.person) showHome(people);
    else showSignIn(people, whyFailed(error));
  }
}

async function resume(people) {
  // A sign-in that was interrupted before it knew its person is completed now.
  if (session().person) showHome(people);
  else await welcome(people).catch((error) => showSignIn(people, whyFailed(error)));
}

async function start() {
  document.documentElement.lang = language;
  // Before anything else: a one-time code does not stay in the address bar.
  const answer = takeAnswer();
  const response = await fetch("/demo.json", { cache: "no-store" }).catch(() => null);
  if (!response?.ok) return showPlain();
  const { people } = await response.json();
  whenSessionEnds((reason) => {
    closeSheets();
    if (receipt()) showReceipt(people);
    else showSignIn(people, whyEnded(reason));
  });
  if (answer) return arrive(people, answer);
  if (session()) return resume(people);
  return receipt() ? showReceipt(people) : showSignIn(people);
}

start();
