// A request: read from the form, made within the platform's limits, sent to the function itself.

import { byId, shownSize } from "./dom.js";

// What the platform takes of one request; a recording becomes a third larger as base64.
export const PAYLOAD_LIMIT_BYTES = 6_291_456;

const TEXTS = ["model", "language", "prompt", "response_format"];
const NUMBERS = ["temperature", "top_p", "max_tokens"];

/** The options that were chosen, as fields of a request; what is empty is left to the function. */
export function readOptions() {
  const options = {};
  for (const name of [...TEXTS, ...NUMBERS]) {
    const value = byId(name).value.trim();
    // What is no number goes as it is: the function says what is wrong with it.
    if (value) options[name] = NUMBERS.includes(name) && !Number.isNaN(Number(value)) ? Number(value) : value;
  }
  return options;
}

export function readAccess() {
  return { accessToken: byId("access_token").value.trim(), authToken: byId("auth_token").value.trim() };
}

/** Whether a file, as base64 beside these options, fits into one request. */
export function fits(file, options) {
  const around = new TextEncoder().encode(JSON.stringify({ audio: "", ...options })).length;
  return around + Math.ceil(file.size / 3) * 4 <= PAYLOAD_LIMIT_BYTES;
}

/** The source as a field of the request; one that does not fit is put into the emulated bucket, and `tell` is told. */
export async function sourceField(source, options, { tell, signal }) {
  if (source.kind === "url") return { url: source.url };
  if (fits(source.file, options)) return { audio: await base64(source.file) };
  tell(`${source.file.name} has ${shownSize(source.file.size)}, and a request takes 6 MiB: putting it into the bucket.`);
  const name = encodeURIComponent(source.file.name);
  const answer = await fetch(`/_emulator/uploads/${name}`, { method: "PUT", body: source.file, signal });
  if (!answer.ok) throw new Error("The bucket did not take the file.");
  source.kept = await answer.json();
  tell(`Over 6 MiB, so it is in the emulated bucket as ${source.kept.bucket}/${source.kept.key}, and the function reads it there.`);
  return { url: source.kept.url };
}

/** Ask the function; {status, text, headers, requestId}. */
export async function send(functionUrl, body, { access, requestId, signal }) {
  const headers = { "Content-Type": "application/json", "X-Request-Id": requestId };
  if (access.accessToken) headers.Authorization = `Bearer ${access.accessToken}`;
  if (access.authToken) headers["X-Auth-Token"] = access.authToken;
  const answer = await fetch(functionUrl, { method: "POST", headers, body: JSON.stringify(body), signal });
  return { status: answer.status, text: await answer.text(), headers: answer.headers, requestId };
}

function base64(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => resolve(reader.result.slice(reader.result.indexOf(",") + 1)));
    reader.addEventListener("error", () => reject(reader.error));
    reader.readAsDataURL(file);
  });
}
