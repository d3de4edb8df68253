// Security activity: what happened to one's account, the latest first.

import { accountTexts, dateOf } from "./account-texts.js";
import { pages } from "./api.js";
import { h, icon, openSheet } from "./dom.js";
import { attempt } from "./messages.js";
import { texts } from "./texts.js";

const PAGE = 20;
const ALARMING = new Set(["refresh_token_reused", "authorization_code_reused", "account_suspended"]);

/** Open the list, a page at a time. */
export async function openActivity() {
  const next = pages(`/v1/account/security-events?limit=${PAGE}`);
  const list = h("ul", { class: "rows" });
  const more = h("button", { type: "button", class: "quiet wide", onclick: () => attempt(show) }, accountTexts.more);
  let following = await next();
  openSheet(accountTexts.activity, texts.close, following?.length ? list : h("p", { class: "hint" }, accountTexts.noActivity), more);
  await show();

  async function show() {
    const rows = (following ?? []).map(row);
    list.append(...rows);
    // Whether there is more is known only from the next page; asked for now, it is there at once.
    following = rows.length ? await next() : null;
    more.hidden = !following?.length;
    if (rows.length > 0 && list.children.length > rows.length) rows[0].focus();
  }
}

function row({ kind, details, ip_prefix, occurred_at }) {
  const said = { ...details, way: accountTexts.ways[details?.grant_type] };
  const facts = [dateOf(occurred_at, { time: true }), ip_prefix && accountTexts.from(ip_prefix)].filter(Boolean);
  return h("li", { class: `row ${ALARMING.has(kind) ? "alarming" : ""}`, tabIndex: -1 },
    icon(ALARMING.has(kind) ? "alarm" : "shield"),
    h("span", { class: "names" },
      // A kind that is newer than this client is shown as it is.
      h("span", {}, accountTexts.kinds[kind]?.(said) ?? kind),
      h("small", {}, h("time", { dateTime: occurred_at }, facts[0]), facts[1] ? ` · ${facts[1]}` : "")));
}
