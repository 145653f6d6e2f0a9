// Connects the page's modules: reads the form, sends one request at a time, and shows its answer.

import { hideAnswer, setUpAnswer, showAnswer, showLogged } from "./answer.js";
import { codeFor, noteFor } from "./code.js";
import { byId, copy, make, setUpTabs, shownTime } from "./dom.js";
import { hideFailure, showFailure, showNoAnswer } from "./failure.js";
import { platformState, setUpPlatform, watchPlatform } from "./platform.js";
import { fits, readAccess, readOptions, send, sourceField } from "./request.js";
import { setUpSound } from "./sound.js";
import { currentSource, setUpSource, showNote } from "./source.js";

const SUGGESTIONS = {
  Transcribe: "Transcribe this recording word for word.",
  Translate: "Translate the speech into English. Write only the translation.",
  Summarise: "Summarise this recording in three sentences.",
  Speakers: "Transcribe this recording. Begin a new line whenever another person speaks, with Speaker 1:, Speaker 2: and so on.",
  "Action items": "List the decisions and the tasks in this recording, each with the person responsible.",
};
const LANGUAGES = ["ar", "de", "en", "es", "fr", "hi", "it", "ja", "ko", "nl", "pl", "pt", "ru", "tr", "uk", "zh"];
const FORMATS = {
  verbose_json: "The text with times, to read along.",
  json: "The text and its usage.",
  text: "Only the text.",
  srt: "Subtitles as SubRip.",
  vtt: "Subtitles as WebVTT.",
};
// The function logs the request when it answers, and the line reaches the page a moment later.
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
    byId("openapi").href = `${functionUrl}openapi.json`;
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
    showNote("Choose a file, record something, or enter an address first.");
    byId("file").focus();
    return;
  }
  const options = readOptions();
  const requestId = crypto.randomUUID();
  const done = begin(source, requestId);
  let isAnswered = false;
  try {
    const { signal } = running;
    const field = await sourceField(source, options, { showNote, signal });
    const reply = await send(functionUrl, { ...field, ...options }, { access: readAccess(), requestId, signal });
    isAnswered = reply.status === 200;
    if (isAnswered) showAnswer(reply, options.response_format, source);
    else showFailure(reply);
  } catch (error) {
    if (error.name === "AbortError") showNote("Cancelled; the function may still be working on it.");
    else showNoAnswer(error);
  } finally {
    done();
  }
  if (isAnswered) await showLog(requestId);
}

/** Show the progress of a request; returns a function that ends this. */
function begin(source, requestId) {
  running = new AbortController();
  hideAnswer();
  hideFailure();
  const started = Date.now();
  const tick = () => (byId("elapsed").textContent = shownTime((Date.now() - started) / 1000));
  const name = source.file?.name ?? "the recording at the address";
  const length = source.seconds ? `, ${shownTime(source.seconds)} of sound` : "";
  byId("progress-text").textContent = `The function is working on ${name}${length}.`;
  tick();
  const timers = [setInterval(tick, 500), setInterval(() => showProgress(requestId), PROGRESS_INTERVAL_MS)];
  const setBusy = (isBusy) => {
    byId("progress").hidden = !isBusy;
    byId("cancel").hidden = !isBusy;
    byId("send").disabled = isBusy;
  };
  setBusy(true);
  return () => {
    timers.forEach(clearInterval);
    running = null;
    setBusy(false);
  };
}

/** Show the function's latest log line of the running request, such as a retry and its reason. */
async function showProgress(requestId) {
  const line = await lastLogLine(requestId);
  if (!line || !running) return;
  const { message, error } = line;
  if (message !== "request") byId("progress-text").textContent = [message, error].filter(Boolean).join(": ");
}

/** Add the facts of the request's line in the function's log to the answer. */
async function showLog(requestId) {
  for (const wait of LOG_WAITS_MS) {
    await new Promise((resolve) => setTimeout(resolve, wait));
    const line = await lastLogLine(requestId);
    if (line?.message === "request") return showLogged(line);
  }
}

/** The function's last log line of a request; null if there is none, or the platform does not answer. */
async function lastLogLine(requestId) {
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
    const spec = { functionUrl, source, options, models, access: readAccess(), inline };
    byId("code-text").textContent = codeFor(language, spec);
    byId("code-note").textContent = noteFor(spec);
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
