// Sends photos straight to S3: one call for all targets, each file by itself, each completed.

import { call, create } from "./api.js";
import { Offline } from "./problems.js";

const AT_ONCE = 3;

/** Upload files; `onProgress(index, share)` is told how far each is. Returns the media ids in the given order. */
export async function uploadAll(photos, onProgress) {
  const files = photos.map(({ file, id, description }) => ({
    content_type: file.type,
    size_bytes: file.size,
    client_id: id,
    ...(description ? { alt_text: description } : {}),
  }));
  const { data: uploads } = await create("/v1/uploads", { files });
  const waiting = uploads.map((upload, index) => [upload, index]);
  const worker = async () => {
    for (let job = waiting.shift(); job; job = waiting.shift()) await sendOne(...job);
  };
  async function sendOne(upload, index) {
    // Asking again with the same client_id finds what already arrived: it has no target any more.
    if (upload.target) await toS3(upload.target, photos[index].file, (share) => onProgress(index, share));
    await call("POST", `/v1/uploads/${upload.id}/complete`);
    onProgress(index, 1);
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, waiting.length) }, worker));
  return uploads.map((upload) => upload.media_id);
}

/** Send one file as S3's POST policy wants it: the signed fields first, the file last. */
function toS3(target, file, onShare) {
  const form = new FormData();
  for (const [name, value] of Object.entries(target.fields)) form.append(name, value);
  form.append("file", file);
  return new Promise((resolve, reject) => {
    // fetch cannot tell how far an upload is.
    const request = new XMLHttpRequest();
    request.open(target.method, target.url);
    request.upload.onprogress = (event) => event.lengthComputable && onShare((event.loaded / event.total) * 0.97);
    request.onload = () => (request.status < 300 ? resolve() : reject(new Error(`S3 ${request.status}`)));
    request.onerror = () => reject(new Offline(""));
    request.send(form);
  });
}
