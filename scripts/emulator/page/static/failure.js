// Shows a failed request to a person: what went wrong, what to do, and the facts to look it up.

import { byId } from "./dom.js";

const TITLES = {
  400: "The request has an error",
  401: "The access token is wrong or missing",
  403: "The function is private",
  404: "The recording was not found",
  413: "The recording is too large",
  415: "The file is not a recording that can be read",
  422: "The recording or the model is not available",
  429: "The API is busy",
  500: "The function failed, or is not configured correctly",
  502: "The API or the recording's server failed",
  503: "All instances are busy",
  504: "It took too long",
};
const ADVICE = {
  401: "Enter the function's ACCESS_TOKEN under Options, Access.",
  403: "Enter the secret key as X-Auth-Token under Options, Access.",
  413: "Send a shorter recording, or convert it to MP3.",
  415: "Choose another file; if it plays elsewhere, save it as MP3 or WAV.",
  429: "Try again in a moment; the function has already waited and retried.",
  500: "See the log under Platform for details.",
  502: "Try again; the function has already retried.",
  503: "Try again later, or start scripts/emulate with more --instances.",
  504: "Try again, or raise the time limit: scripts/emulate --timeout.",
};

/** Show a reply of request.js that is an error. */
export function showFailure({ status, text, headers, requestId }) {
  let error = { message: text.trim() }; // the platform's own errors are plain text
  try {
    error = JSON.parse(text).error ?? error;
  } catch {
    // The body is not the function's JSON.
  }
  const wait = headers.get("Retry-After");
  const advice = wait ? `Try again in ${wait} s.` : (ADVICE[status] ?? "");
  const facts = [`status ${status}`, error.code, error.param && `field ${error.param}`, `request ${requestId}`];
  fill(TITLES[status] ?? "The request failed", error.message, advice, facts.filter(Boolean).join(" · "));
  const field = error.param && document.querySelector(`#request [id="${CSS.escape(error.param)}"]`);
  if (field) field.setAttribute("aria-invalid", "true");
}

/** Show that there was no answer. */
export function showNoAnswer(error) {
  fill("The function did not answer", error.message, "Is scripts/emulate still running? See its output, and the log under Platform.", "");
}

export function hideFailure() {
  byId("failure").hidden = true;
  for (const field of document.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
}

function fill(title, message, advice, facts) {
  byId("failure").hidden = false;
  byId("failure-title").textContent = title;
  byId("failure-message").textContent = message;
  byId("failure-advice").textContent = advice;
  byId("failure-facts").textContent = facts;
  byId("failure").focus({ preventScroll: true });
  byId("failure").scrollIntoView({ block: "nearest" });
}
