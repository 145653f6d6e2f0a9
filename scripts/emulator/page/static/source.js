// The recording: a file (chosen, dropped, or from the microphone) or an address. The last choice counts.

import { byId, shownSize, shownTime } from "./dom.js";

let source = null;
let recorder = null;

/** {kind: "file", file} or {kind: "url", url}, or null. */
export const currentSource = () => source;

export function setUpSource() {
  const [file, drop, url, record] = [byId("file"), byId("drop"), byId("url"), byId("record")];
  file.addEventListener("change", () => file.files[0] && choose(file.files[0]));
  url.addEventListener("input", () => {
    source = url.value.trim() ? { kind: "url", url: url.value.trim() } : null;
    showNote(source ? "The function downloads it; the page does not, so it cannot play it." : "No recording yet.");
  });
  for (const kind of ["dragover", "dragleave", "drop"]) {
    document.addEventListener(kind, (event) => {
      event.preventDefault();
      drop.classList.toggle("over", kind === "dragover");
      if (kind === "drop" && event.dataTransfer.files[0]) choose(event.dataTransfer.files[0]);
    });
  }
  record.addEventListener("click", () => (recorder ? recorder.stop() : startRecording(record)));
  record.disabled = !navigator.mediaDevices || !window.MediaRecorder;
}

function choose(file) {
  const choice = { kind: "file", file };
  source = choice;
  byId("url").value = "";
  showNote(`${file.name}, ${shownSize(file.size)}.`);
  choice.probed = lengthOf(file).then((seconds) => {
    if (source !== choice || !Number.isFinite(seconds)) return; // the browser's own recordings have no length
    source.seconds = seconds;
    showNote(`${file.name}, ${shownSize(file.size)}, ${shownTime(seconds)}.`);
  });
}

/** The length of a file in seconds; NaN if the browser cannot tell. */
function lengthOf(file) {
  return new Promise((resolve) => {
    const probe = new Audio();
    const end = (seconds) => {
      URL.revokeObjectURL(probe.src);
      resolve(seconds);
    };
    probe.addEventListener("loadedmetadata", () => end(probe.duration));
    probe.addEventListener("error", () => end(Number.NaN));
    probe.src = URL.createObjectURL(file);
  });
}

async function startRecording(button) {
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  } catch (error) {
    showNote(error.name === "NotFoundError" ? "This machine has no microphone." : "The browser does not allow the microphone.");
    return;
  }
  const blocks = [];
  const started = Date.now();
  const clock = setInterval(() => (button.textContent = `Stop ${shownTime((Date.now() - started) / 1000)}`), 500);
  recorder = new MediaRecorder(stream);
  recorder.addEventListener("dataavailable", (event) => blocks.push(event.data));
  recorder.addEventListener("stop", () => {
    clearInterval(clock);
    for (const track of stream.getTracks()) track.stop();
    const type = recorder.mimeType.split(";")[0];
    recorder = null;
    button.textContent = "Record";
    button.setAttribute("aria-pressed", "false");
    choose(new File(blocks, `recording.${type.split("/")[1] ?? "webm"}`, { type }));
  });
  recorder.start();
  button.textContent = "Stop 0:00";
  button.setAttribute("aria-pressed", "true");
  showNote("Recording; press the button again to stop.");
}

export const showNote = (note) => (byId("source-note").textContent = note);
