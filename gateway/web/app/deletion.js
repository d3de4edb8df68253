// Leaving for good: a confirmation that has to be typed, and the receipt that stays.

import { accountTexts } from "./account-texts.js";
import { del, get } from "./api.js";
import { h, icon, openSheet } from "./dom.js";
import { attempt } from "./messages.js";
import { part } from "./parts.js";
import { readAnswer, reach } from "./problems.js";
import { end, session } from "./session.js";
import { texts } from "./texts.js";

const RECEIPT = "igloo.receipt";
const LOOK_AGAIN_MILLISECONDS = 1500;

/** Open the sheet that asks for the typed confirmation. */
export async function openDeletion() {
  const { username } = await get("/v1/users/me");
  const typed = h("input", { id: "confirmation", type: "text", autocomplete: "off", autocapitalize: "none", spellcheck: false, required: true, oninput: settle });
  const remove = h("button", { type: "submit", class: "primary wide destructive", disabled: true }, accountTexts.removeForGood);
  openSheet(accountTexts.remove, texts.close,
    h("p", {}, accountTexts.removeAbout),
    h("form", { class: "fields", onsubmit: (event) => { event.preventDefault(); attempt(leaveForGood); } },
      h("label", { for: "confirmation" }, accountTexts.removeConfirm(username)), typed, remove));

  function settle() {
    remove.disabled = typed.value.trim() !== username;
  }

  async function leaveForGood() {
    const { session_id } = session();
    remove.disabled = true;
    try {
      const receipt = await del("/v1/account");
      sessionStorage.setItem(RECEIPT, JSON.stringify(receipt));
      end("account_deleted", session_id);
    } finally {
      settle();
    }
  }
}

/** Give the receipt of a deletion made in this tab, until it was put away. */
export function receipt() {
  return JSON.parse(sessionStorage.getItem(RECEIPT));
}

/** Make the screen of a receipt, which follows the deletion to its end. */
export function receiptScreen(kept, brand, onLeave) {
  const title = h("h2", { id: "receipt", tabIndex: -1 });
  const parts = h("ul", { class: "rows parts" });
  const root = h("main", { class: "sign-in" },
    h("div", { class: "hero" }, brand),
    h("section", { "aria-labelledby": "receipt" },
      h("div", { role: "status" }, title),
      h("p", { class: "hint" }, accountTexts.receiptAbout),
      h("dl", { class: "receipt" }, h("dt", {}, accountTexts.code), h("dd", {}, h("code", {}, kept.confirmation_code))),
      parts,
      h("a", { class: "quiet wide", href: new URL(kept.status_url, location.href).href, target: "_blank", rel: "noopener" }, icon("right"), accountTexts.statusPage),
      h("button", { type: "button", class: "primary wide", onclick: leave }, accountTexts.leaveReceipt)));
  show(kept);
  follow();

  function show(seen) {
    title.textContent = seen.state === "completed" ? accountTexts.receiptDone : accountTexts.receipt;
    parts.replaceChildren(...Object.entries(seen.services).map(([service, { state }]) => part(service, state === "completed")));
  }

  async function follow() {
    let seen = kept;
    while (seen.state !== "completed") {
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MILLISECONDS));
      if (!root.isConnected) return;
      seen = await look().catch(() => seen);
      show(seen);
    }
  }

  async function look() {
    return readAnswer(await reach(`/v1/auth/data-deletions/${kept.confirmation_code}`, { headers: { Accept: "application/json" } }));
  }

  function leave() {
    sessionStorage.removeItem(RECEIPT);
    onLeave();
  }

  return root;
}
