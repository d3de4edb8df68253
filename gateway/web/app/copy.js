// "A copy of my data": asks for the archive, follows how far it is, and offers the download.

import { accountTexts, dateOf, sizeOf } from "./account-texts.js";
import { call, get } from "./api.js";
import { h, openSheet } from "./dom.js";
import { attempt } from "./messages.js";
import { part } from "./parts.js";
import { Problem } from "./problems.js";
import { session } from "./session.js";
import { texts } from "./texts.js";

const LOOK_AGAIN_MILLISECONDS = 1500;
// A download link that is about to expire is replaced by the next look.
const LINK_MARGIN_MILLISECONDS = 30_000;

/** Open the sheet; a copy that was asked for before is found again. */
export async function openCopy() {
  const kept = `igloo.copy.${session().user_id}`;
  const state = h("p", { role: "status", class: "copy-state" });
  const progress = h("progress", { max: 1, value: 0, "aria-label": accountTexts.copy });
  const parts = h("ul", { class: "rows parts" });
  const download = h("a", { class: "primary wide", download: "" });
  const until = h("p", { class: "hint" });
  const prepare = h("button", { type: "button", class: "primary wide", onclick: () => attempt(ask) });
  const sheet = openSheet(accountTexts.copy, texts.close,
    h("p", {}, accountTexts.copyAbout), state, progress, parts, download, until, prepare);
  show(await last());

  async function last() {
    const id = localStorage.getItem(kept);
    if (!id) return null;
    return get(`/v1/account/exports/${id}`).catch((error) => {
      if (error instanceof Problem && error.status === 404) return null;
      throw error;
    });
  }

  async function ask() {
    prepare.disabled = true;
    try {
      const copy = await call("POST", "/v1/account/exports");
      localStorage.setItem(kept, copy.id);
      show(copy);
    } finally {
      prepare.disabled = false;
    }
  }

  function show(copy) {
    if (!sheet.isConnected) return;
    const collecting = copy?.state === "collecting";
    const ready = copy?.state === "ready";
    const had = document.activeElement;
    state.textContent = copy ? { collecting: accountTexts.preparing, ready: accountTexts.copyReady, failed: accountTexts.copyFailed, expired: accountTexts.copyExpired }[copy.state] ?? "" : "";
    progress.hidden = parts.hidden = !collecting;
    if (collecting) showParts(copy.services);
    download.hidden = until.hidden = !ready;
    if (ready) offer(copy);
    prepare.hidden = collecting;
    prepare.classList.toggle("quiet", ready);
    prepare.classList.toggle("primary", !ready);
    prepare.textContent = ready ? accountTexts.prepareAnother : accountTexts.prepare;
    if (had === prepare && collecting) sheet.querySelector("button").focus();
    if (collecting) setTimeout(lookAgain, LOOK_AGAIN_MILLISECONDS);
    if (ready) setTimeout(lookAgain, Math.max(LOOK_AGAIN_MILLISECONDS, Date.parse(copy.download.expires_at) - Date.now() - LINK_MARGIN_MILLISECONDS));
  }

  async function lookAgain() {
    if (!sheet.isConnected || !session()) return;
    // Whatever goes wrong for a moment, the next look may find it mended.
    const copy = await last().catch(() => undefined);
    if (copy === undefined) setTimeout(lookAgain, LOOK_AGAIN_MILLISECONDS);
    else show(copy);
  }

  function showParts(services) {
    const states = Object.entries(services);
    // The archive itself is one more step.
    progress.max = states.length + 1;
    progress.value = states.filter(([, state]) => state === "collected").length;
    parts.replaceChildren(...states.map(([service, state]) => part(service, state === "collected")));
  }

  function offer(copy) {
    download.href = copy.download.url;
    download.textContent = accountTexts.download(sizeOf(copy.download.size_bytes));
    until.textContent = accountTexts.downloadUntil(dateOf(copy.expires_at));
  }
}
