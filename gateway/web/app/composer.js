// Makes a post: choose photos, describe them, watch them travel, publish.

import { create, get } from "./api.js";
import { h, icon, iconButton, openSheet } from "./dom.js";
import { tell, tellProblem } from "./messages.js";
import { texts } from "./texts.js";
import { uploadAll } from "./upload.js";

/** Open the sheet to write a post; `onPosted` gets the post as the server answered it. */
export async function openComposer(onPosted) {
  const limits = await get("/v1/limits").catch(() => ({}));
  const most = limits.posts?.images ?? 10;
  const largest = limits.uploads?.file_bytes ?? Infinity;
  const photos = [];
  // The same key for every attempt: a repeated send after a lost answer makes no second post.
  const key = crypto.randomUUID();

  const shown = h("ol", { class: "chosen" });
  const input = h("input", { type: "file", id: "photos", accept: (limits.uploads?.content_types ?? ["image/*"]).join(","), multiple: true, class: "visually-hidden", onchange: choose });
  const caption = h("textarea", { id: "caption", rows: 3, maxLength: limits.posts?.caption_characters ?? 2200, placeholder: texts.captionHint });
  const submit = h("button", { type: "submit", class: "primary wide", disabled: true }, texts.post);
  const form = h("form", { class: "composer", onsubmit: send },
    input, h("label", { for: "photos", class: "drop" }, icon("photo"), h("span", {}, texts.choosePhotos)),
    shown, h("label", { for: "caption" }, texts.caption), caption, submit);
  const sheet = openSheet(texts.newPost, texts.close, form);
  sheet.addEventListener("close", () => photos.forEach((photo) => URL.revokeObjectURL(photo.address)));
  caption.addEventListener("input", ready);

  function choose() {
    for (const file of input.files) {
      if (photos.length >= most) { tell(texts.tooMany(most)); break; }
      if (file.size > largest) { tell(texts.tooLarge(file.name, Math.floor(largest / 1_000_000))); continue; }
      const photo = { file, id: crypto.randomUUID(), address: URL.createObjectURL(file) };
      photos.push(photo);
      shown.append(tile(photo));
    }
    input.value = "";
    ready();
  }

  function tile(photo) {
    photo.progress = h("progress", { max: 1, value: 0, hidden: true });
    const description = h("input", { type: "text", maxLength: 1000, placeholder: texts.describeHint, "aria-label": texts.describe(photos.length), oninput: () => { photo.description = description.value.trim(); } });
    // Most browsers cannot show HEIC; igloo can, once it is posted.
    const picture = h("img", { src: photo.address, alt: "", onerror: () => picture.replaceWith(h("span", { class: "unseen" }, icon("photo"))) });
    const item = h("li", {}, picture, description, photo.progress,
      iconButton("trash", texts.remove(photos.length), () => { photos.splice(photos.indexOf(photo), 1); item.remove(); ready(); }));
    return item;
  }

  function ready() {
    submit.disabled = !photos.length && !caption.value.trim();
  }

  async function send(event) {
    event.preventDefault();
    busy(true);
    try {
      const media_ids = photos.length ? await uploadAll(photos, (index, share) => { photos[index].progress.value = share; }) : [];
      const text = caption.value.trim();
      onPosted(await create("/v1/posts", { media_ids, ...(text ? { caption: text } : {}) }, key));
      sheet.close();
    } catch (error) {
      tellProblem(error);
      busy(false);
    }
  }

  function busy(is) {
    submit.disabled = is;
    submit.textContent = is ? texts.posting : texts.post;
    for (const photo of photos) photo.progress.hidden = !is;
    for (const control of form.querySelectorAll("input, textarea, li button")) control.disabled = is;
  }
}
