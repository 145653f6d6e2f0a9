// Ties the page together: a request is read, sent, and answered, one at a time.

import { hideAnswer, setUpAnswer, showAnswer, showLogged } from "./answer.js";
import { codeFor, noteFor } from "./code.js";
import { byId, copy, make, setUpTabs, shownTime } from "./dom.js";
import { hideFailure, showFailure, showNoAnswer } from "./failure.js";
import { platformState, setUpPlatform, watchPlatform } from "./platform.js";
import { fits, readAccess, readOptions, send, sourceField } from "./request.js";
import { setUpSound } from "./sound.js";
import { currentSource, setUpSource, tell } from "./source.js";

const SUGGESTIONS = {
  Transcribe: "Transcribe this recording word for word.",
  Translate: "Translate the speech into English. Write only the translation.",
  Summarise: "Summarise this recording in three sentences.",
  Speakers: "Transcribe this recording. Begin a new line whenever another person speaks, with Speaker 1:, Speaker 2: and so on.",
  "Action items": "List the decisions and the tasks in this recording, each with who is to do it.",
};
const LANGUAGES = ["ar", "de", "en", "es", "fr", "hi", "it", "ja", "ko", "nl", "pl", "pt", "ru", "tr", "uk", "zh"];
const FORMATS = {
  verbose_json: "Words with times, for reading along.",
  json: "The words, and what was used.",
  text: "The words alone.",
  srt: "Subtitles, as SubRip.",
  vtt: "Subtitles, as WebVTT.",
};
// The log's line is written when the answer is, and reaches the page a moment later.
const LOG_WAITS_MS = [0, 300, 1000, 2000];
const PROGRESS_INTERVAL_MS = 1000;

let functionUrl = "";
let models = [];
let running = null;

async function start() {
  setUpSource();
  setUpSound();
  setUpAnswer();
  setUpPlatform();
  setUpForm();
  setUpCode();
  setUpTabs(byId("views"), (tab) => {
    for (const id of ["playground", "platform"]) byId(id).hidden = tab.getAttribute("aria-controls") !== id;
    watchPlatform(tab.id === "tab-platform");
  });
  try {
    functionUrl = `${(await platformState()).function_url.replace(/\/$/, "")}/`;
    const description = await (await fetch(functionUrl)).json();
    models = description.models;
    byId("model").append(...models.map((model) => make("option", {}, model)));
  } catch (error) {
    showNoAnswer(error);
  }
}

function setUpForm() {
  for (const [name, prompt] of Object.entries(SUGGESTIONS)) {
    const button = make("button", { type: "button" }, name);
    button.addEventListener("click", () => {
      byId("prompt").value = prompt;
      byId("prompt").focus();
    });
    byId("suggestions").append(button);
  }
  byId("languages").append(...LANGUAGES.map((language) => make("option", { value: language })));
  const explain = () => (byId("format-hint").textContent = FORMATS[byId("response_format").value]);
  byId("response_format").addEventListener("change", explain);
  explain();
  byId("request").addEventListener("submit", (event) => {
    event.preventDefault();
    if (!running) transcribe();
  });
  byId("cancel").addEventListener("click", () => running?.abort());
}

async function transcribe() {
  const source = currentSource();
  if (!source) {
    tell("Choose a file, record something, or paste an address first.");
    byId("file").focus();
    return;
  }
  const options = readOptions();
  const requestId = crypto.randomUUID();
  const done = begin(source, requestId);
  let isAnswered = false;
  try {
    const { signal } = running;
    const field = await sourceField(source, options, { tell, signal });
    const reply = await send(functionUrl, { ...field, ...options }, { access: readAccess(), requestId, signal });
    isAnswered = reply.status === 200;
    if (isAnswered) showAnswer(reply, options.response_format, source);
    else showFailure(reply);
  } catch (error) {
    if (error.name === "AbortError") tell("Cancelled; the function may still be at work on it.");
    else showNoAnswer(error);
  } finally {
    done();
  }
  if (isAnswered) await showLog(requestId);
}

/** Show that work goes on; returns what shows that it is over. */
function begin(source, requestId) {
  running = new AbortController();
  hideAnswer();
  hideFailure();
  const started = Date.now();
  const tick = () => (byId("elapsed").textContent = shownTime((Date.now() - started) / 1000));
  const name = source.file?.name ?? "what is at the address";
  const length = source.seconds ? `, ${shownTime(source.seconds)} of sound` : "";
  byId("progress-text").textContent = `The function is at work on ${name}${length}.`;
  tick();
  const timers = [setInterval(tick, 500), setInterval(() => showStep(requestId), PROGRESS_INTERVAL_MS)];
  const busy = (is) => {
    byId("progress").hidden = !is;
    byId("cancel").hidden = !is;
    byId("send").disabled = is;
  };
  busy(true);
  return () => {
    timers.forEach(clearInterval);
    running = null;
    busy(false);
  };
}

/** Show what the function has written of the request before it is done, such as that it tries again, and why. */
async function showStep(requestId) {
  const line = await lastLogged(requestId);
  if (!line || !running) return;
  const { message, error } = line;
  if (message !== "request") byId("progress-text").textContent = [message, error].filter(Boolean).join(": ");
}

/** Add the request's line in the function's log to the answer. */
async function showLog(requestId) {
  for (const wait of LOG_WAITS_MS) {
    await new Promise((resolve) => setTimeout(resolve, wait));
    const line = await lastLogged(requestId);
    if (line?.message === "request") return showLogged(line);
  }
}

/** The last line that the function has written of a request; nothing when it, or the platform, says nothing. */
async function lastLogged(requestId) {
  try {
    const { log } = await platformState();
    return JSON.parse(log.findLast((line) => line.includes(requestId)) ?? "null");
  } catch {
    return null;
  }
}

function setUpCode() {
  let language = "curl";
  const draw = () => {
    const [source, options] = [currentSource(), readOptions()];
    const inline = source?.kind === "file" && fits(source.file, options);
    const ask = { functionUrl, source, options, models, access: readAccess(), inline };
    byId("code-text").textContent = codeFor(language, ask);
    byId("code-note").textContent = noteFor(ask);
    byId("copy-note").textContent = "";
  };
  setUpTabs(byId("languages-of-code"), (tab) => {
    language = tab.dataset.code;
    byId("code-panel").setAttribute("aria-labelledby", tab.id);
    draw();
  });
  byId("view-code").addEventListener("click", () => {
    draw();
    byId("code").showModal();
  });
  byId("close-code").addEventListener("click", () => byId("code").close());
  byId("copy-code").addEventListener("click", () => copy(byId("code-text").textContent, byId("copy-note")));
}

start();
