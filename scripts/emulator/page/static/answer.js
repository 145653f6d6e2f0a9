// Shows the answer: the text in step with the sound, its cost, the time of each part, and files to download.

import { readCues, readNotes, writeCues } from "./cues.js";
import { byId, copy, make, shownTime } from "./dom.js";
import { markSound, seek, showSound } from "./sound.js";

const TYPES = { txt: "text/plain", srt: "application/x-subrip", vtt: "text/vtt", json: "application/json" };
// What stands for the words of a part that could not be transcribed.
const GAP = "[…]";
const MEANINGS = { download: "Download", prepare: "Prepare", api: "API", total: "Total" };

let answer = null;

export function setUpAnswer() {
  for (const button of byId("downloads").querySelectorAll("[data-format]")) {
    button.addEventListener("click", () => save(button.dataset.format));
  }
  byId("copy-text").addEventListener("click", () => copy(answer.text, byId("copied")));
}

/** Show `reply`, of request.js, in its `format`; `source` is the recording. */
export function showAnswer(reply, format, source) {
  const json = format.endsWith("json") ? JSON.parse(reply.text) : null;
  const segments = json ? (json.segments ?? []) : ["srt", "vtt"].includes(format) ? readCues(reply.text, format) : [];
  const text = json ? json.text : segments.length ? segments.map((cue) => cue.text).join(" ") : format === "text" ? reply.text.trim() : "";
  answer = { requestId: reply.requestId, format, raw: reply.text, json, segments, text, name: nameOf(source) };
  byId("answer").hidden = false;
  byId("copied").textContent = "";
  showFacts(json);
  byId("request-id").textContent = reply.requestId;
  showWarnings(json?.warnings ?? warningsOf(reply, format));
  showText(source.kind === "file");
  showTimings(reply.headers.get("Server-Timing") ?? "");
  byId("raw").hidden = !["srt", "vtt"].includes(format);
  byId("raw").textContent = reply.text;
  for (const button of byId("downloads").querySelectorAll("[data-format]")) button.disabled = fileOf(button.dataset.format) === null;
  byId("answer").focus({ preventScroll: true });
  byId("answer").scrollIntoView({ block: "start" });
  showSound(source.file ?? null, markSpoken);
}

/** Add the facts in the function's log that the answer does not have. */
export function showLogged(entry) {
  if (entry.request_id !== answer.requestId) return; // another answer is shown meanwhile
  const facts = answer.json ? [] : [entry.model, entry.seconds && `${entry.seconds.toFixed(1)} s of sound`];
  if (entry.tokens) facts.push(`${entry.tokens} tokens`);
  if (entry.cost !== undefined) facts.push(`cost ${entry.cost}`);
  byId("facts").textContent = [byId("facts").textContent, ...facts].filter(Boolean).join(" · ");
  markSound(entry);
}

export const hideAnswer = () => (byId("answer").hidden = true);

function showFacts(json) {
  const facts = [];
  if (json?.model) facts.push(json.model);
  if (json?.language) facts.push(json.language);
  if (json?.duration !== undefined) facts.push(`${json.duration.toFixed(1)} s of sound`);
  const usage = json?.usage ?? {};
  if (usage.seconds !== undefined) facts.push(`${usage.seconds} s billed`);
  byId("facts").replaceChildren(facts.join(" · "));
}

/** The warnings of an answer without JSON: the notes of WebVTT, or else their number in a header. */
function warningsOf(reply, format) {
  if (format === "vtt") return readNotes(reply.text);
  const count = Number(reply.headers.get("X-Transcript-Warnings") ?? 0);
  return count ? [`${count} ${count === 1 ? "warning" : "warnings"}. The formats json, verbose_json and vtt say which.`] : [];
}

function showWarnings(warnings) {
  byId("warnings").hidden = !warnings.length;
  byId("warnings").replaceChildren(...warnings.map((warning) => make("li", {}, warning)));
}

function showText(canPlay) {
  const items = answer.segments.map((segment) => {
    const content = [make("time", {}, shownTime(segment.start)), make("span", {}, shownText(segment))];
    const line = canPlay ? make("button", { type: "button" }, ...content) : make("div", { className: "segment" }, ...content);
    if (canPlay) line.addEventListener("click", () => seek(segment.start, { play: true }));
    return make("li", { className: segment.text.trim() === GAP ? "gap" : "" }, line);
  });
  byId("segments").replaceChildren(...items);
  byId("segments").hidden = !items.length;
  byId("text").hidden = Boolean(items.length);
  byId("text").textContent = answer.text || "No speech.";
}

/** The words of a segment; a gap says how far it goes, where its end is that of the gap. */
function shownText({ text, end }) {
  const isGap = text.trim() === GAP && answer.json?.missing?.some(([, last]) => last === end);
  return isGap ? `${GAP} nothing could be transcribed up to ${shownTime(end)}` : text.trim();
}

function markSpoken(seconds) {
  const lines = byId("segments").querySelectorAll("button");
  answer.segments.forEach(({ start, end }, index) => {
    const isSpoken = start <= seconds && seconds < end && seconds > 0;
    if (isSpoken) lines[index]?.setAttribute("aria-current", "true");
    else lines[index]?.removeAttribute("aria-current");
  });
}

function showTimings(header) {
  const phases = [...header.matchAll(/(\w+);dur=([\d.]+)/g)].map(([, name, duration]) => [name, Number(duration)]);
  const total = phases.find(([name]) => name === "total")?.[1] || 1;
  const rows = phases.flatMap(([name, duration]) => {
    const bar = make("div", { className: name === "total" ? "bar total" : "bar" });
    bar.style.width = `${Math.min(100, (100 * duration) / total)}%`;
    return [make("span", {}, MEANINGS[name] ?? name), bar, make("span", { className: "number" }, `${(duration / 1000).toFixed(2)} s`)];
  });
  byId("timings").replaceChildren(...rows);
}

/** The content of the download in this format; null if the answer does not have it. */
function fileOf(format) {
  if (format === answer.format) return answer.raw;
  if (format === "txt") return `${answer.text}\n`;
  if (format === "json") return answer.json && answer.raw;
  return answer.segments.length ? writeCues(answer.segments, format) : null;
}

function save(format) {
  const url = URL.createObjectURL(new Blob([fileOf(format)], { type: TYPES[format] }));
  make("a", { href: url, download: `${answer.name}.${format}` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

function nameOf(source) {
  const name = source.file?.name ?? source.url.split(/[?#]/)[0].split("/").at(-1);
  return name.replace(/\.[^.]*$/, "") || "transcript";
}
