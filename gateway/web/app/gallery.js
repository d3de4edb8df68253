// A post's photos: a strip to swipe, scroll or step through, blurred colours first.

import { blurCanvas } from "./blurhash.js";
import { h, iconButton } from "./dom.js";
import { texts } from "./texts.js";

/** Rendition addresses are absolute; on whatever name this page was opened, the same gateway answers them. */
export function local(url) {
  const { pathname, search } = new URL(url, location.href);
  return pathname + search;
}

/** Make one photo with its blurred stand-in and the sizes to choose from. */
export function picture(image, { alt, sizes = "(min-width: 640px) 600px, 100vw", square = false }) {
  const renditions = image.renditions ?? {};
  const wide = ["feed", "full"].map((name) => renditions[name]).filter(Boolean);
  const shown = square ? [renditions.thumb ?? wide[0]].filter(Boolean) : wide.length ? wide : Object.values(renditions);
  const frame = h("span", { class: "picture" }, blurCanvas(image.blurhash));
  if (image.dominant_color) frame.style.backgroundColor = image.dominant_color;
  if (!shown.length) return frame;
  const img = h("img", {
    alt,
    sizes,
    srcset: shown.map((rendition) => `${local(rendition.url)} ${rendition.width}w`).join(", "),
    src: local(shown[0].url),
    loading: "lazy",
    decoding: "async",
    onload: () => frame.classList.add("loaded"),
    onerror: () => img.remove(),
  });
  frame.append(img);
  return frame;
}

/** Make the strip of a post's photos. */
export function gallery(images, author) {
  const slides = images.map((image, index) => h("li", { class: "slide", "aria-label": texts.photo(index + 1, images.length) },
    picture(image, { alt: image.alt_text || texts.noDescription(author.display_name) })));
  const strip = h("ul", { class: "strip", tabIndex: 0, "aria-label": texts.photos }, slides);
  strip.style.aspectRatio = shapeOf(images[0]);
  if (slides.length < 2) return h("div", { class: "gallery" }, strip);
  return h("div", { class: "gallery" }, strip, ...controls(strip, slides));
}

function shapeOf(image) {
  if (!image?.width || !image?.height) return "1";
  // A very tall or very wide photo would push everything else off the screen.
  return String(Math.min(1.91, Math.max(0.8, image.width / image.height)));
}

function controls(strip, slides) {
  const step = (by) => strip.scrollBy({ left: by * strip.clientWidth });
  const back = iconButton("left", texts.previous, () => step(-1), { class: "icon-button step step-back", hidden: true });
  const onward = iconButton("right", texts.next, () => step(1), { class: "icon-button step step-onward" });
  const dots = slides.map(() => h("span", { class: "dot" }));
  const place = h("span", { class: "place", "aria-hidden": "true" });
  const update = () => {
    const index = Math.round(strip.scrollLeft / Math.max(1, strip.clientWidth));
    dots.forEach((dot, position) => dot.classList.toggle("dot-here", position === index));
    back.hidden = index <= 0;
    onward.hidden = index >= slides.length - 1;
    place.textContent = `${index + 1}/${slides.length}`;
  };
  strip.addEventListener("scroll", () => requestAnimationFrame(update), { passive: true });
  strip.addEventListener("keydown", (event) => {
    const direction = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (direction) { event.preventDefault(); step(direction); }
  });
  update();
  return [back, onward, place, h("div", { class: "dots", "aria-hidden": "true" }, dots)];
}
