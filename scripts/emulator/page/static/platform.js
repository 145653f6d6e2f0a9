// The second tab: the platform's state, requested once a second while the tab is open.

import { byId, make, shownSize } from "./dom.js";

const INTERVAL_MS = 1000;
const COUNTS = { waiting: "Waiting", in_flight: "In flight", delivered: "Delivered", redelivered: "Redelivered", dropped: "Dropped", dead_letters: "Dead letters" };
const QUOTA = { audio_seconds: "audio seconds a minute", requests: "requests a minute", tokens: "tokens a minute" };
const drawn = new Map();
let timer = null;

export async function platformState() {
  const answer = await fetch("/_emulator/platform");
  if (!answer.ok) throw new Error(`The platform answered ${answer.status}.`);
  return answer.json();
}

export function setUpPlatform() {
  byId("fault-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const [where, fault] = byId("fault").value.split(" ");
    const body = JSON.stringify({ fault, count: Number(byId("fault-count").value) || 1 });
    const path = where === "api" ? "/_emulator/api-faults" : "/_emulator/faults";
    const done = `The fault hits the next ${where === "api" ? "call of the API" : "request"}.`;
    submit("fault-note", path, { method: "POST", body }, done);
  });
  byId("clear-faults").addEventListener("click", async () => {
    await submit("fault-note", "/_emulator/api-faults", { method: "DELETE" }, "All faults are off.");
    await submit("fault-note", "/_emulator/faults", { method: "DELETE" }, "All faults are off.");
  });
  byId("object").addEventListener("change", () => {
    const [file] = byId("object").files;
    if (file) submit("object-note", `/_emulator/objects/${encodeURIComponent(file.name)}`, { method: "PUT", body: file }, `${file.name} is in the bucket.`);
  });
  byId("close-object").addEventListener("click", () => byId("object-view").close());
}

/** Start or stop updating the tab. */
export function watchPlatform(isWatched) {
  clearTimeout(timer);
  timer = isWatched ? setTimeout(refresh, 0) : null;
}

async function refresh() {
  const own = timer;
  try {
    show(await platformState());
    setText("platform-note", "Live, updated once a second.");
  } catch (error) {
    setText("platform-note", `Not live: ${error.message}`);
  }
  if (timer === own) timer = setTimeout(refresh, INTERVAL_MS);
}

/** Send a request to the control, and show `done` or the error in `note`. */
async function submit(note, path, request, done) {
  try {
    const answer = await fetch(path, request);
    const text = await answer.text();
    setText(note, answer.ok ? done : messageIn(text));
  } catch (error) {
    setText(note, error.message);
  }
}

function messageIn(text) {
  try {
    return JSON.parse(text).error.message;
  } catch {
    return text;
  }
}

function setText(id, text) {
  if (byId(id).textContent !== text) byId(id).textContent = text; // unchanged text is not announced again each second
}

function show(state) {
  fill("instances", state.instances, instance);
  fill("requests", state.requests, request);
  fill("objects", state.bucket.objects, object);
  fill("crons", state.crons, cron);
  fill("faults", state.faults, (fault) => make("li", {}, `${fault.fault}, ${fault.left === null ? "no limit" : `${fault.left} more`}, share ${fault.share}`));
  fill("queue", Object.keys(COUNTS), (name) => make("div", {}, make("dt", {}, COUNTS[name]), make("dd", {}, String(state.queue[name]))), state.queue);
  byId("quota-section").hidden = state.quota === null;
  if (state.quota) fill("quota", quotaLines(state.quota), (line) => make("li", {}, line));
  byId("bucket-title").textContent = `Bucket ${state.bucket.name}${state.bucket.truncated ? ", first objects" : ""}`;
  showLog(state.log);
}

/** Redraw a list, only if it has changed: so the focus and the reader's position stay. */
function fill(id, items, draw, basis = items) {
  const now = JSON.stringify(basis);
  if (drawn.get(id) === now) return;
  drawn.set(id, now);
  const focused = document.activeElement?.dataset?.key;
  byId(id).replaceChildren(...items.map(draw));
  if (focused) byId(id).querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
}

function instance({ pid, busy_since: since }) {
  const busy = since === null ? make("span", { className: "quiet" }, "idle") : make("span", { className: "busy" }, `busy since ${clock(since)}`);
  return make("li", {}, `Process ${pid}`, busy);
}

function request(record) {
  const failed = record.status === null || record.status >= 400;
  const status = make("td", { className: failed ? "failed" : "" }, record.status === null ? "no answer" : String(record.status));
  return make("tr", {}, cell(clock(record.time)), cell(record.trigger), cell(`${record.method} ${record.path}`), status, cell(record.seconds.toFixed(2), "number"), cell(record.request_id));
}

function object({ key, size_bytes: size, last_modified: modified }) {
  const name = key.endsWith(".json") || /\.(txt|srt|vtt)$/.test(key) ? make("button", { type: "button", "data-key": key }, key) : key;
  if (name !== key) name.addEventListener("click", () => open(key));
  return make("tr", {}, make("td", {}, name), cell(shownSize(size), "number"), cell(clock(modified)));
}

/** The use of each limit in this minute, and what was paid and refused since the start, a line each. */
function quotaLines(quota) {
  const limits = Object.entries(quota.models).flatMap(([model, uses]) => Object.entries(QUOTA)
    .filter(([name]) => uses[name])
    .map(([name, unit]) => `${model}: ${whole(uses[name].used)} of ${whole(uses[name].limit)} ${unit}`));
  const atOnce = quota.calls_at_once_limit === null ? "" : ` of ${quota.calls_at_once_limit}`;
  const sums = ["paid", "refused"].map((name) => `${name}: ${quota[name].calls} calls, ${whole(quota[name].audio_seconds)} audio seconds, ${shownSize(quota[name].size_bytes)}`);
  return [...limits, `calls at once: ${quota.calls_at_once}${atOnce}`, ...sums];
}

async function open(key) {
  const answer = await fetch(`/_emulator/objects/${key.split("/").map(encodeURIComponent).join("/")}`);
  byId("object-title").textContent = key;
  byId("object-text").textContent = await answer.text();
  byId("object-view").showModal();
}

function cron({ number, rate, next_time: next, last_time: last, last_status: status }) {
  const fire = make("button", { type: "button", "data-key": `cron ${number}` }, "Fire now");
  fire.setAttribute("aria-label", `Fire schedule ${rate} now`);
  fire.addEventListener("click", () => submit("cron-note", `/_emulator/cron/${number}/fire`, { method: "POST" }, `${rate} was fired.`));
  const times = [next ? `next ${clock(next)}` : "never due", last ? `last ${clock(last)}, ${status}` : "not fired yet"];
  return make("li", {}, make("code", {}, rate), make("span", { className: "quiet" }, times.join("; ")), fire);
}

function showLog(lines) {
  const log = byId("log");
  const text = lines.join("\n");
  if (log.textContent === text) return;
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  log.textContent = text;
  if (atEnd) log.scrollTop = log.scrollHeight;
}

const whole = (number) => Math.round(number).toLocaleString("en");
const cell = (text, className = "") => make("td", { className }, text);
const clock = (seconds) => new Date(seconds * 1000).toLocaleTimeString([], { hour12: false });
