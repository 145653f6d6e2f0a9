// A request: its options are read from the form; it is kept within the platform's limits, and sent to the function.

import { byId } from "./dom.js";

// The platform's limit for a request; base64 makes a recording a third larger.
export const PAYLOAD_LIMIT_BYTES = 6_291_456;

const TEXTS = ["model", "language", "prompt", "response_format"];
const NUMBERS = ["temperature", "top_p", "max_tokens"];

/** The form's options as fields of a request; empty ones are left out, for the function's defaults. */
export function readOptions() {
  const options = {};
  for (const name of [...TEXTS, ...NUMBERS]) {
    const value = byId(name).value.trim();
    // A value that is not a number is sent unchanged: the function explains the error.
    if (value) options[name] = NUMBERS.includes(name) && !Number.isNaN(Number(value)) ? Number(value) : value;
  }
  // As a text, which is the same in each language of the code that the page shows.
  if (byId("allow_partial").checked) options.allow_partial = "true";
  return options;
}

export function readAccess() {
  return { accessToken: byId("access_token").value.trim(), authToken: byId("auth_token").value.trim() };
}

/** The headers with the tokens of the form. */
export function accessHeaders() {
  const { accessToken, authToken } = readAccess();
  return { ...(accessToken && { Authorization: `Bearer ${accessToken}` }), ...(authToken && { "X-Auth-Token": authToken }) };
}

/** Whether a file, as base64 beside these options, fits into one request. */
export function fits(file, options) {
  const otherBytes = new TextEncoder().encode(JSON.stringify({ audio: "", ...options })).length;
  return otherBytes + Math.ceil(file.size / 3) * 4 <= PAYLOAD_LIMIT_BYTES;
}

/** Send a request to the function; returns {status, text, headers, requestId}. */
export async function send(functionUrl, body, { requestId, signal }) {
  const headers = { ...accessHeaders(), "Content-Type": "application/json", "X-Request-Id": requestId };
  const answer = await fetch(functionUrl, { method: "POST", headers, body: JSON.stringify(body), signal });
  return { status: answer.status, text: await answer.text(), headers: answer.headers, requestId };
}

/** A file as base64 text. */
export function base64(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => resolve(reader.result.slice(reader.result.indexOf(",") + 1)));
    reader.addEventListener("error", () => reject(reader.error));
    reader.readAsDataURL(file);
  });
}
