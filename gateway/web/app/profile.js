// A person's page, in a sheet: who they are, what stands between us, and their posts.

import { openAccount } from "./account.js";
import { accountTexts } from "./account-texts.js";
import { del, get, pages, put } from "./api.js";
import { avatar, h, openSheet } from "./dom.js";
import { picture } from "./gallery.js";
import { attempt, tell } from "./messages.js";
import { texts } from "./texts.js";

const GRID = 24;
let whenRelationsChange = () => {};

/** Say what to do after a follow or a block, which change what the feed holds. */
export function onRelationsChange(callback) {
  whenRelationsChange = callback;
}

/** Tell that there was a follow or a block. */
export function relationsChanged() {
  whenRelationsChange();
}

/** Open the page of a person. */
export async function openProfile(userId) {
  const profile = await attempt(() => get(`/v1/users/${userId}`));
  if (!profile) return;
  const numbers = h("dl", { class: "numbers" });
  const grid = h("ul", { class: "grid" });
  const sheet = openSheet(profile.display_name, texts.close,
    h("section", { class: "profile" },
      avatar(profile, "large"),
      h("p", { class: "handle" }, `@${profile.username}`),
      profile.bio ? h("p", { class: "bio" }, profile.bio) : null,
      numbers,
      profile.relationship ? actions(profile, () => sheet.close(), () => showNumbers(numbers, profile)) : own()),
    grid);
  showNumbers(numbers, profile);
  await attempt(() => fillGrid(grid, profile));
}

function own() {
  return h("div", { class: "profile-actions" },
    h("p", { class: "hint" }, texts.you),
    h("button", { type: "button", class: "quiet", onclick: openAccount }, accountTexts.account));
}

function showNumbers(list, profile) {
  const pairs = [[profile.post_count, texts.posts], [profile.follower_count, texts.followers], [profile.following_count, texts.following]];
  list.replaceChildren(...pairs.map(([count, name]) => h("div", {}, h("dt", {}, name), h("dd", {}, String(count)))));
}

async function fillGrid(grid, profile) {
  const posts = (await pages(`/v1/users/${profile.id}/posts?limit=${GRID}`)()) ?? [];
  const withPhotos = posts.filter((post) => post.images.length);
  grid.append(...withPhotos.map((post) => h("li", {}, picture(post.images[0], { alt: post.images[0].alt_text || post.caption || texts.noDescription(profile.display_name), sizes: "33vw", square: true }))));
  if (!withPhotos.length) grid.replaceWith(h("p", { class: "hint" }, texts.none));
}

function actions(profile, close, changed) {
  const path = `/v1/users/${profile.id}`;
  const follow = h("button", { type: "button", class: "primary", onclick: () => attempt(toggleFollow) });
  const block = h("button", { type: "button", class: "quiet danger", onclick: () => attempt(toggleBlock) });
  const mark = h("p", { class: "hint" });
  let between = profile.relationship;

  function show() {
    const mine = between.following || between.requested;
    follow.textContent = between.requested ? texts.requested : between.following ? texts.unfollow : texts.follow;
    follow.setAttribute("aria-pressed", String(mine));
    follow.hidden = between.blocking;
    block.textContent = between.blocking ? texts.unblock : texts.block;
    mark.textContent = between.followed_by ? texts.followsYou : "";
  }

  async function toggleFollow() {
    const was = between.following;
    between = await (was || between.requested ? del : put)(`${path}/follow`);
    profile.follower_count += Number(between.following) - Number(was);
    show();
    changed();
    whenRelationsChange();
  }

  async function toggleBlock() {
    if (!between.blocking && !confirm(texts.confirmBlock(profile.display_name))) return;
    between = await (between.blocking ? del : put)(`${path}/block`);
    whenRelationsChange();
    if (!between.blocking) return show();
    tell(texts.blocked(profile.display_name));
    close();
  }

  show();
  return h("div", { class: "profile-actions" }, follow, block, mark);
}
