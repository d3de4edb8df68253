// Small tools to build a page out of elements: no markup is ever made from strings.

const SVG = "http://www.w3.org/2000/svg";

/** Make an element: properties, `on…` listeners, `aria…`/`data-…` attributes, then children. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) set(element, name, value);
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

function set(element, name, value) {
  if (value === undefined || value === null || value === false) return;
  if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
  else if (name.includes("-") || name === "role" || name === "for") element.setAttribute(name, value);
  else if (name === "class") element.className = value;
  else if (name === "style") Object.assign(element.style, value);
  else element[name] = value;
}

const SHAPES = {
  heart: "M12 20.3 4.6 13a4.9 4.9 0 0 1 7.4-6.4A4.9 4.9 0 0 1 19.4 13z",
  bell: "M6 16.5V11a6 6 0 0 1 12 0v5.5l1.5 1.5h-15zM10 20.5h4",
  people: "M9 11.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 19.5c0-3.3 2.9-5.5 6.5-5.5s6.5 2.2 6.5 5.5M16 5a3.3 3.3 0 0 1 0 6.3M18 14.5c2.1.7 3.5 2.5 3.5 5",
  plus: "M12 5v14M5 12h14",
  close: "M6 6l12 12M18 6 6 18",
  left: "M14.5 5.5 8 12l6.5 6.5",
  right: "M9.5 5.5 16 12l-6.5 6.5",
  leave: "M14 4.5H6.5v15H14M11 12h9.5M17 8.5l3.5 3.5-3.5 3.5",
  photo: "M4 6h16v12.5H4zM4 16l5-5 4 4 2.5-2.5L20 16M15.5 9.5h.01",
  trash: "M5 7h14M10 7V4.5h4V7M7 7l1 13h8l1-13",
  devices: "M3.5 5.5h13v9h-13zM2 18h9M14 9.5h6.5V20H14z",
  phone: "M7.5 3h9v18h-9zM11 18h2",
  screen: "M3.5 5h17v11.5h-17zM9 20h6",
  shield: "M12 3.5 5 6v5.5c0 4.3 2.9 7.4 7 9 4.1-1.6 7-4.7 7-9V6z",
  alarm: "M12 4 2.8 20h18.4zM12 10v4.5M12 17.5h.01",
  download: "M12 4v11M7.5 11l4.5 4.5 4.5-4.5M5 20h14",
  book: "M5 4.5h11a3 3 0 0 1 3 3v12H8a3 3 0 0 1-3-3zM5 16.5a3 3 0 0 1 3-3h11",
};

/** Draw an icon; it says nothing to screen readers, the control around it has the name. */
export function icon(name) {
  const drawing = document.createElementNS(SVG, "svg");
  drawing.setAttribute("viewBox", "0 0 24 24");
  drawing.setAttribute("class", `icon icon-${name}`);
  drawing.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", SHAPES[name]);
  drawing.append(path);
  return drawing;
}

/** Make a button that shows an icon and has a name. */
export function iconButton(name, label, onclick, properties = {}) {
  return h("button", { type: "button", class: "icon-button", "aria-label": label, title: label, onclick, ...properties }, icon(name));
}

/** Show a picture of a person, or their first letter on a colour of their own. */
export function avatar(person, size = "medium") {
  const name = person.display_name || person.username || "?";
  const letter = h("span", { class: `avatar avatar-${size}`, "aria-hidden": "true" }, [...name][0]);
  letter.style.setProperty("--hue", String(hueOf(person.username || name)));
  // Pictures at Facebook would tell Facebook who looks at whom, and the page's content policy refuses them.
  if (person.avatar_url && new URL(person.avatar_url, location.href).origin === location.origin) letter.append(h("img", { src: person.avatar_url, alt: "", onerror: (event) => event.target.remove() }));
  return letter;
}

// Sea, ice, sky, heather, dusk and moss: far enough apart to tell people by.
const HUES = [198, 172, 222, 262, 318, 150, 12, 238, 186, 288];

function hueOf(text) {
  let sum = 5381;
  for (const character of text) sum = (Math.imul(sum, 33) ^ character.codePointAt(0)) >>> 0;
  return HUES[sum % HUES.length];
}

/** Open a sheet over the page; it closes by Escape, by its button and by a click beside it.
 *
 *  An open sheet makes the page behind it deaf and dumb, so it has a place for messages of its own. */
export function openSheet(title, closeLabel, ...content) {
  const heading = h("h2", { id: `sheet-${crypto.randomUUID()}` }, title);
  const said = h("div", { class: "messages", role: "status", "aria-live": "polite" });
  const sheet = h(
    "dialog",
    { class: "sheet", "aria-labelledby": heading.id, onclose: leave, onclick: (event) => event.target === sheet && sheet.close() },
    h("div", { class: "sheet-body" },
      h("header", { class: "sheet-header" }, heading, iconButton("close", closeLabel, () => sheet.close())),
      ...content),
    said,
  );
  function leave() {
    sheet.remove();
    document.getElementById("messages").append(...said.children);
  }
  document.body.append(sheet);
  sheet.showModal();
  return sheet;
}

/** Close every sheet, as when the page behind them becomes another one. */
export function closeSheets() {
  for (const sheet of document.querySelectorAll("dialog[open]")) sheet.close();
}

/** Call back when an element comes near the visible part of the page. */
export function whenNear(element, callback) {
  const observer = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && callback(), { rootMargin: "900px" });
  observer.observe(element);
  return () => observer.disconnect();
}
