// What happened to oneself: a badge that counts, and a sheet that lists and marks as read.

import { get, pages, put } from "./api.js";
import { avatar, h, iconButton, openSheet } from "./dom.js";
import { attempt } from "./messages.js";
import { openProfile } from "./profile.js";
import { ago, texts } from "./texts.js";

const LOOK_AGAIN_MILLISECONDS = 10_000;

/** Make the bell: a button with the number of unread notifications. */
export function bell() {
  const badge = h("span", { class: "badge", "aria-hidden": "true", hidden: true });
  const button = iconButton("bell", texts.notifications, () => attempt(open));
  button.append(badge);

  async function count() {
    if (document.hidden || !button.isConnected) return;
    const unread = (await get("/v1/notifications/unread-count").catch(() => null))?.unread_count ?? 0;
    badge.hidden = !unread;
    badge.textContent = unread > 99 ? "99+" : String(unread);
    button.setAttribute("aria-label", texts.unread(unread));
  }

  async function open() {
    const notifications = (await pages("/v1/notifications?limit=30")()) ?? [];
    openSheet(texts.notifications, texts.close,
      notifications.length ? h("ul", { class: "people" }, notifications.map(entry)) : h("p", { class: "hint" }, texts.none));
    // Another tab may have read further, which the server answers with 409: nothing is left to do then.
    if (notifications.length) await put("/v1/notifications/read-marker", { read_until: notifications[0].created_at }).catch(() => null);
    await count();
  }

  const timer = setInterval(() => (button.isConnected ? count() : clearInterval(timer)), LOOK_AGAIN_MILLISECONDS);
  setTimeout(count);
  return button;
}

function entry(notification) {
  const say = texts.notification[notification.kind] ?? texts.notification.other;
  const { actor } = notification;
  const others = notification.actor_count - 1;
  return h("li", { class: notification.read ? "" : "unread" },
    h("button", { type: "button", class: "person", disabled: !actor, onclick: () => actor && openProfile(actor.id) },
      actor ? avatar(actor) : null,
      h("span", { class: "names" }, h("span", {}, say(actor?.display_name ?? "", others)), h("small", {}, ago(notification.created_at)))));
}
