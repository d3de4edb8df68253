// Short messages at the edge of the page; screen readers hear them.

import { h } from "./dom.js";
import { Offline, Problem, SignedOut } from "./problems.js";
import { texts } from "./texts.js";

const VISIBLE_MILLISECONDS = 6000;

function show(kind, ...content) {
  const message = h("p", { class: `message message-${kind}` }, ...content);
  [...document.querySelectorAll(".messages")].at(-1).append(message);
  setTimeout(() => message.remove(), VISIBLE_MILLISECONDS);
}

export function tell(text) {
  show("plain", text);
}

/** Say what went wrong, with the reference that the people who run igloo can search their logs for. */
export function tellProblem(error) {
  if (error instanceof SignedOut) return;
  if (!(error instanceof Problem) && !(error instanceof Offline)) console.error(error);
  show("problem", describe(error), error.requestId ? h("small", {}, texts.reference(error.requestId)) : null);
}

export function describe(error) {
  if (error instanceof Offline) return texts.offline;
  if (!(error instanceof Problem)) return error.message || texts.wentWrong;
  const fields = (error.errors ?? []).map((field) => field.detail).join(" ");
  return fields || error.message || texts.wentWrong;
}

/** Run something that may be refused; a refusal is told and gives undefined. */
export async function attempt(work) {
  try {
    return await work();
  } catch (error) {
    tellProblem(error);
    return undefined;
  }
}
