// The home feed: pages by cursor, new posts at the top, a post of one's own as soon as it is sent.

import { get, pages } from "./api.js";
import { h, whenNear } from "./dom.js";
import { attempt } from "./messages.js";
import { postCard } from "./post.js";
import { suggestions } from "./suggestions.js";
import { texts } from "./texts.js";

const PAGE = 10;
const LOOK_AGAIN_MILLISECONDS = 20_000;
const FOLLOW_SHOWS_MILLISECONDS = 1500;
const STATE_WAITS_MILLISECONDS = [400, 600, 1000, 1500, 2000, 3000, 4000, 5000, 5000, 5000, 5000];

/** Make the feed and load its first page. */
export function homeFeed() {
  const list = h("div", { class: "posts", role: "feed", "aria-label": texts.home, "aria-busy": "true" });
  const end = h("div", { class: "feed-end" }, skeleton(), skeleton());
  const newer = h("button", { type: "button", class: "newer", hidden: true, onclick: () => { scrollTo({ top: 0 }); reload(); } }, texts.newer);
  const root = h("main", { class: "feed" }, newer, list, end);
  let next;
  let loading = false;
  let stopWatching = () => {};

  async function more() {
    if (loading) return;
    loading = true;
    const posts = await attempt(next);
    loading = false;
    list.setAttribute("aria-busy", "false");
    if (posts === undefined) {
      stopWatching();
      end.replaceChildren(h("button", { type: "button", class: "quiet", onclick: watch }, texts.retry));
      return;
    }
    if (posts === null) {
      stopWatching();
      end.replaceChildren(h("p", { class: "hint" }, list.children.length ? texts.endOfFeed : texts.emptyFeed));
      if (!list.children.length) offerPeople(end.firstChild);
      return;
    }
    for (const post of posts) if (!find(post.id)) list.append(postCard(post));
    // A short page may leave the end in sight, and what stays in sight is not announced again.
    if (end.getBoundingClientRect().top < innerHeight + 900) more();
  }

  async function offerPeople(hint) {
    // What those who were followed have posted is offered a moment later, so that several can be followed in a row.
    const people = await suggestions(() => setTimeout(lookForNewer, FOLLOW_SHOWS_MILLISECONDS));
    if (people && hint.isConnected) hint.after(people);
  }

  function watch() {
    end.replaceChildren(skeleton());
    stopWatching = whenNear(end, more);
  }

  function reload() {
    newer.hidden = true;
    stopWatching();
    list.replaceChildren();
    next = pages(`/v1/feed?limit=${PAGE}`);
    watch();
  }

  async function lookForNewer() {
    if (document.hidden || !root.isConnected) return;
    const newest = (await get("/v1/feed?limit=1").catch(() => null))?.data[0];
    newer.hidden = !newest || Boolean(find(newest.id)) || loading;
  }

  const find = (id) => list.querySelector(`[data-post="${CSS.escape(id)}"]`);
  const timer = setInterval(() => (root.isConnected ? lookForNewer() : clearInterval(timer)), LOOK_AGAIN_MILLISECONDS);

  /** Put one's own new post on top and follow it until its photos are ready. */
  async function add(post, whenPublished) {
    let card = postCard(post);
    list.prepend(card);
    scrollTo({ top: 0 });
    for (const wait of post.state === "processing" ? STATE_WAITS_MILLISECONDS : []) {
      await new Promise((resolve) => setTimeout(resolve, wait));
      const seen = await get(`/v1/posts/${post.id}`).catch(() => post);
      if (seen.state === "processing") continue;
      const fresh = postCard(seen);
      card.replaceWith(fresh);
      card = fresh;
      if (seen.state === "published") whenPublished();
      return;
    }
  }

  reload();
  return { root, add, reload };
}

function skeleton() {
  return h("div", { class: "post skeleton", "aria-hidden": "true" }, h("div", { class: "bar" }), h("div", { class: "block" }), h("div", { class: "bar bar-short" }));
}
