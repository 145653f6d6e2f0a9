// What went wrong, for a person: what it is, what to do, and where to look it up.

import { byId } from "./dom.js";

const TITLES = {
  400: "The request is not quite right",
  401: "The access token is not the right one",
  403: "The function is private",
  404: "There is no recording there",
  413: "The recording is too large",
  415: "That is no recording that can be read",
  422: "That is not available",
  429: "The API is busy",
  500: "The function is not set up right, or failed",
  502: "The API or the recording's server failed",
  503: "All instances are busy",
  504: "It took too long",
};
const ADVICE = {
  401: "Put the function's ACCESS_TOKEN under Options, Access.",
  403: "Put the secret key under Options, Access, as X-Auth-Token.",
  413: "Send a shorter recording, or the same one as MP3.",
  415: "Choose another file; if it plays elsewhere, save it as MP3 or WAV.",
  429: "Try again in a moment; the function has waited and tried already.",
  500: "The log, under Platform, says more.",
  502: "Try again; the function has tried more than once already.",
  503: "Try again when one is free, or start scripts/emulate with more --instances.",
  504: "Try again, or raise the time limit: scripts/emulate --timeout.",
};

/** Show a reply of request.js that is no success. */
export function showFailure({ status, text, headers, requestId }) {
  let error = { message: text.trim() }; // the platform's own errors are plain text
  try {
    error = JSON.parse(text).error ?? error;
  } catch {
    // It is none of the function's.
  }
  const wait = headers.get("Retry-After");
  const advice = wait ? `Try again in ${wait} s.` : (ADVICE[status] ?? "");
  const facts = [`status ${status}`, error.code, error.param && `field ${error.param}`, `request ${requestId}`];
  fill(TITLES[status] ?? "It did not work", error.message, advice, facts.filter(Boolean).join(" · "));
  const field = error.param && document.querySelector(`#request [id="${CSS.escape(error.param)}"]`);
  if (field) field.setAttribute("aria-invalid", "true");
}

/** Show that there was no answer at all. */
export function showNoAnswer(error) {
  fill("The function did not answer", error.message, "Is scripts/emulate still running? Its output and the log, under Platform, say more.", "");
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
