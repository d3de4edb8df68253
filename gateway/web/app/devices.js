// The devices that one is signed in on, and signing them out.

import { accountTexts } from "./account-texts.js";
import { del, pages } from "./api.js";
import { h, icon, openSheet } from "./dom.js";
import { attempt, tell } from "./messages.js";
import { end, session } from "./session.js";
import { ago, texts } from "./texts.js";

/** Open the list of devices. */
export async function openDevices() {
  const list = h("ul", { class: "rows" });
  const others = h("button", { type: "button", class: "quiet wide", onclick: () => attempt(signOutOthers) }, accountTexts.signOutOthers);
  const everywhere = h("button", { type: "button", class: "quiet wide danger", onclick: () => attempt(signOutEverywhere) }, accountTexts.signOutEverywhere);
  const alone = h("p", { class: "hint" }, accountTexts.onlyThis);
  const devices = await all();
  list.append(...devices.map((device) => row(device, settle)));
  openSheet(accountTexts.devices, texts.close, list, alone, h("div", { class: "choices" }, others, everywhere));
  settle();

  function settle() {
    const left = list.querySelectorAll("[data-other]").length;
    alone.hidden = left > 0;
    others.hidden = left === 0;
  }

  async function signOutOthers() {
    const leaving = list.querySelectorAll("[data-other]");
    await del("/v1/auth/sessions?except=current");
    leaving.forEach((one) => one.remove());
    settle();
    everywhere.focus();
    tell(accountTexts.signedOutOthers(leaving.length));
  }
}

async function all() {
  const found = [];
  const next = pages("/v1/auth/sessions?limit=100");
  for (let page = await next(); page; page = await next()) found.push(...page);
  // The device in one's hand comes first, then the one seen last.
  return found.sort((one, other) => other.current - one.current || other.last_seen_at.localeCompare(one.last_seen_at));
}

function row(device, settle) {
  const name = device.device_name || accountTexts.unnamed;
  const facts = [device.platform === "web" ? null : device.platform, device.ip_prefix, accountTexts.lastSeen(ago(device.last_seen_at))].filter(Boolean);
  const item = h("li", { class: "row" },
    icon(["ios", "android"].includes(device.platform) ? "phone" : "screen"),
    h("span", { class: "names" }, h("strong", {}, name), h("small", {}, facts.join(" · "))),
    device.current
      ? h("span", { class: "chip" }, accountTexts.thisDevice)
      : h("button", { type: "button", class: "quiet small", "aria-label": accountTexts.signOutOf(name), onclick: () => attempt(signOut) }, accountTexts.signOut));
  if (!device.current) item.dataset.other = "";

  async function signOut() {
    await del(`/v1/auth/sessions/${device.id}`);
    const neighbour = (item.nextElementSibling ?? item.previousElementSibling)?.querySelector("button");
    const { parentElement: list } = item;
    item.remove();
    settle();
    (neighbour ?? list.closest("dialog").querySelector("button")).focus();
    tell(accountTexts.signedOutOf(name));
  }

  return item;
}

async function signOutEverywhere() {
  if (!confirm(accountTexts.confirmEverywhere)) return;
  const { session_id } = session();
  await del("/v1/auth/sessions");
  end("signed_out", session_id);
}
