// One post as a card.

import { del, put } from "./api.js";
import { avatar, h, icon } from "./dom.js";
import { gallery } from "./gallery.js";
import { attempt } from "./messages.js";
import { openProfile } from "./profile.js";
import { ago, texts } from "./texts.js";

/** Make the card of a post. */
export function postCard(post) {
  const { author } = post;
  const card = h("article", { class: "post", "data-post": post.id, "aria-label": `${author.display_name}: ${post.caption ?? ""}` },
    h("header", { class: "post-header" },
      h("button", { type: "button", class: "person", onclick: () => openProfile(author.id) },
        avatar(author), h("span", { class: "names" }, h("strong", {}, author.display_name), h("small", {}, `@${author.username}`))),
      h("time", { dateTime: post.published_at ?? post.created_at }, ago(post.published_at ?? post.created_at))),
    photosOf(post),
    h("footer", { class: "post-footer" }, post.state === "published" ? likeButton(post) : null, captionOf(post)));
  return card;
}

function photosOf(post) {
  if (post.state === "processing") return h("p", { class: "post-state" }, h("span", { class: "spinner" }), texts.processing);
  if (post.state === "failed") return h("p", { class: "post-state post-failed", role: "alert" }, texts.failed(post.failure?.detail ?? ""));
  return post.images.length ? gallery(post.images, post.author) : null;
}

function captionOf(post) {
  if (!post.caption) return null;
  return h("p", { class: "caption" }, h("strong", {}, post.author.username), " ", post.caption, post.edited_at ? h("small", {}, ` · ${texts.edited}`) : null);
}

function likeButton(post) {
  const count = h("span", { class: "like-count" });
  const button = h("button", { type: "button", class: "like", onclick: () => attempt(toggle) }, icon("heart"), count);
  const show = () => {
    button.setAttribute("aria-pressed", String(post.liked));
    button.setAttribute("aria-label", post.liked ? texts.unlike(post.like_count) : texts.like(post.like_count));
    count.textContent = post.like_count ? texts.likes(post.like_count) : "";
  };
  async function toggle() {
    const before = { liked: post.liked, like_count: post.like_count };
    // Shown at once; the server's answer corrects it, a refusal takes it back.
    Object.assign(post, { liked: !post.liked, like_count: post.like_count + (post.liked ? -1 : 1) });
    show();
    try {
      const { liked, like_count } = await (post.liked ? put : del)(`/v1/posts/${post.id}/like`);
      Object.assign(post, { liked, like_count });
    } catch (error) {
      Object.assign(post, before);
      throw error;
    } finally {
      show();
    }
  }
  show();
  return button;
}
