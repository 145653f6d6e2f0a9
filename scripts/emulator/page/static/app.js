// Connects the page's modules: reads the form, sends one request at a time, and shows its answer.

import { hideAnswer, setUpAnswer, showAnswer, showLogged } from "./answer.js";
import { codeFor, noteFor } from "./code.js";
import { byId, copy, make, setUpTabs, shownSize, shownTime } from "./dom.js";
import { hideFailure, showFailure, showNoAnswer } from "./failure.js";
import { contentOf, createJob, forget, remember, remembered, removeJob, upload, waitForJob } from "./job.js";
import { platformState, setUpPlatform, watchPlatform } from "./platform.js";
import { accessHeaders, base64, fits, readAccess, readOptions, send } from "./request.js";
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
// A longer recording, and one whose length the browser does not know, becomes a job, which goes on when the page is closed.
const LONGEST_WITHOUT_JOB_SECONDS = 120;
// The screen on which the options stand beside the form, as in style.css; on a smaller one they are folded away.
const WIDE = matchMedia("(min-width: 48rem)");

let functionUrl = "";
let models = [];
let running = null;

async function start() {
  setUpSource();
  setUpSound();
  setUpAnswer();
  setUpPlatform();
  setUpForm();
  setUpOptions();
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
    return;
  }
  await goOn();
}

/** The options stand beside the form, or are folded away below it. */
function setUpOptions() {
  const fold = () => (byId("options").open = WIDE.matches);
  WIDE.addEventListener("change", fold);
  fold();
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
  const name = source.file?.name ?? "the recording at the address";
  const length = source.seconds ? `, ${shownTime(source.seconds)} of sound` : "";
  await run(`The function is working on ${name}${length}.`, async (signal) => {
    await source.probed;
    const isInline = source.kind === "file" && fits(source.file, options);
    const fields = isInline ? { audio: await base64(source.file) } : await sourceFields(source, signal);
    if (fields.refused) return showFailure(fields.refused);
    const body = { ...fields, ...options };
    if (isInline && source.seconds <= LONGEST_WITHOUT_JOB_SECONDS) return transcribeAtOnce(body, source, signal);
    const reply = await createJob(functionUrl, body, { headers: accessHeaders(), signal });
    // A function without storage keeps no jobs, and transcribes in the request itself.
    if (reply.status === 400 && errorOf(reply).param === "async") return transcribeAtOnce(body, source, signal);
    if (reply.status !== 202) return showFailure(reply);
    const job = { id: JSON.parse(reply.text).id, name, format: options.response_format, functionUrl };
    remember(job);
    return collect(job, source, signal);
  });
}

/** One request, one answer. */
async function transcribeAtOnce(body, source, signal) {
  const requestId = crypto.randomUUID();
  const watching = setInterval(() => showProgress(requestId), PROGRESS_INTERVAL_MS);
  try {
    const reply = await send(functionUrl, body, { requestId, signal });
    if (reply.status !== 200) return showFailure(reply);
    showAnswer(reply, body.response_format, source);
  } finally {
    clearInterval(watching);
  }
  showLog(requestId);
}

/** Wait for a job, and show its transcript, or its error. */
async function collect(job, source, signal) {
  const access = { headers: accessHeaders(), signal };
  const onProgress = ({ status, progress }) => showShare(progress, status === "queued" ? "The job waits for an instance." : "");
  const cancelled = () => removeJob(functionUrl, job.id, { headers: access.headers }).catch(() => {});
  signal.addEventListener("abort", cancelled, { once: true });
  const last = await waitForJob(functionUrl, job.id, { ...access, onProgress });
  signal.removeEventListener("abort", cancelled);
  if (last.status === 401 || last.status === 403) return showFailure(last); // with the right token, the page goes on
  forget();
  if (last.status !== 200) return showFailure(last);
  const reply = await contentOf(functionUrl, job.id, job.format, access);
  if (reply.status !== 200) return showFailure(reply);
  return showAnswer(reply, job.format, source);
}

/** The fields of a recording that no request holds: its address, or its place in the bucket once it is there. */
async function sourceFields(source, signal) {
  if (source.kind === "url") return { url: source.url };
  showNote(`${source.file.name} has ${shownSize(source.file.size)}, and a request holds up to 6 MiB: uploading it.`);
  const onProgress = (share) => showShare(100 * share, `Uploading ${source.file.name}: ${shownSize(share * source.file.size)} of ${shownSize(source.file.size)}.`);
  const place = await upload(functionUrl, source.file, { headers: accessHeaders(), signal, onProgress });
  if (place.refused) return place;
  source.stored = place;
  showNote(`Over 6 MiB, so it is in the bucket ${place.bucket}, and the function reads it there.`);
  showShare(null, `The function is working on ${source.file.name}.`);
  return place;
}

/** Go on with the job that was running when the page was closed. */
async function goOn() {
  const job = remembered();
  if (job?.functionUrl !== functionUrl) return;
  showNote(`Going on with ${job.name}.`);
  await run(`The function is working on ${job.name}.`, (signal) => collect(job, { kind: "job", url: job.name }, signal));
}

const errorOf = (reply) => {
  try {
    return JSON.parse(reply.text).error ?? {};
  } catch {
    return {};
  }
};

/** Do `work`, which is given a signal, while the page shows that it is busy. */
async function run(text, work) {
  const done = begin(text);
  const { signal } = running;
  try {
    await work(signal);
  } catch (error) {
    if (error.name === "AbortError") {
      forget();
      showNote("Cancelled; the function may still be working on it.");
    } else showNoAnswer(error);
  } finally {
    done();
  }
}

/** Show that the page is busy; returns a function that ends this. */
function begin(text) {
  running = new AbortController();
  hideAnswer();
  hideFailure();
  const started = Date.now();
  const tick = () => (byId("elapsed").textContent = shownTime((Date.now() - started) / 1000));
  showShare(null, text);
  tick();
  const timer = setInterval(tick, 500);
  const setBusy = (isBusy) => {
    byId("progress").hidden = !isBusy;
    byId("cancel").hidden = !isBusy;
    byId("send").disabled = isBusy;
  };
  setBusy(true);
  return () => {
    clearInterval(timer);
    running = null;
    setBusy(false);
  };
}

/** Show how far it is, in percent, or null if that is not known, and with a text, if there is a new one. */
function showShare(percent, text) {
  const bar = byId("progress-bar");
  if (percent === null || percent === undefined) bar.removeAttribute("value");
  else bar.value = percent;
  if (text) byId("progress-text").textContent = text;
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
