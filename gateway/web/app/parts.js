// How far each service is with its part of a copy or of a deletion.

import { accountTexts } from "./account-texts.js";
import { h } from "./dom.js";

/** Make the line of one service. */
export function part(service, isDone) {
  return h("li", { class: "row" },
    h("span", { class: "names" }, accountTexts.services[service] ?? service),
    h("span", { class: "chip" }, isDone ? accountTexts.done : accountTexts.waiting));
}
