// "Your account": where one is signed in, what happened, one's data, and the way out.

import { accountTexts, dateOf } from "./account-texts.js";
import { openActivity } from "./activity.js";
import { get } from "./api.js";
import { openCopy } from "./copy.js";
import { openDeletion } from "./deletion.js";
import { openDevices } from "./devices.js";
import { avatar, h, icon, openSheet } from "./dom.js";
import { attempt } from "./messages.js";
import { session, stepAside } from "./session.js";
import { texts } from "./texts.js";

/** Open the account's menu. */
export async function openAccount() {
  const account = await attempt(() => get("/v1/account"));
  if (!account) return;
  const { person } = session();
  openSheet(accountTexts.account, texts.close,
    h("div", { class: "person account-person" }, avatar(person), h("span", { class: "names" },
      h("strong", {}, account.display_name), h("small", {}, accountTexts.since(dateOf(account.created_at))))),
    h("ul", { class: "menu" },
      entry("devices", accountTexts.devices, accountTexts.devicesHint, openDevices),
      entry("shield", accountTexts.activity, accountTexts.activityHint, openActivity),
      entry("download", accountTexts.copy, accountTexts.copyHint, openCopy),
      entry("people", accountTexts.somebodyElse, accountTexts.somebodyElseHint, becomeSomebodyElse),
      entry("trash", accountTexts.remove, accountTexts.removeHint, openDeletion, "danger")));
}

function entry(shape, name, hint, onclick, kind = "") {
  return h("li", {}, h("button", { type: "button", class: `menu-entry ${kind}`, onclick: () => attempt(onclick) },
    icon(shape), h("span", { class: "names" }, h("span", { class: "entry-name" }, name), h("small", {}, hint)), icon("right")));
}

function becomeSomebodyElse() {
  stepAside();
  location.reload();
}
