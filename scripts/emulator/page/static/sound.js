// The recording: player, waveform, and marks where the function cut it and left out silence.

import { byId, shownTime } from "./dom.js";

// Decoding keeps every sample in memory. At this rate an hour takes 115 MB, and a waveform needs no more.
const DECODED_RATE_HZ = 8000;
// An MP3 of this size lasts an hour or more; it is played without a waveform.
const LARGEST_DECODED_BYTES = 60_000_000;
const BAR_WIDTH = 3;

const state = { samples: null, duration: 0, cuts: [], silences: [], onTime: () => {} };

export function setUpSound() {
  const player = byId("player");
  for (const kind of ["timeupdate", "seeked", "loadedmetadata"]) player.addEventListener(kind, follow);
  player.addEventListener("play", function frame() {
    follow();
    if (!player.paused) requestAnimationFrame(frame);
  });
  byId("wave").addEventListener("click", (event) => {
    const box = byId("wave").getBoundingClientRect();
    seek(((event.clientX - box.left) / box.width) * state.duration, { play: false });
  });
  new ResizeObserver(draw).observe(byId("wave"));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
}

/** Show `file`; `onTime` is called with the player's position, in seconds. */
export async function showSound(file, onTime) {
  const player = byId("player");
  if (player.src) URL.revokeObjectURL(player.src);
  Object.assign(state, { samples: null, duration: 0, cuts: [], silences: [], onTime });
  byId("sound").hidden = !file;
  byId("wave").hidden = true;
  if (!file) return player.removeAttribute("src");
  player.src = URL.createObjectURL(file);
  describe();
  if (file.size > LARGEST_DECODED_BYTES) return;
  try {
    const context = new OfflineAudioContext(1, 1, DECODED_RATE_HZ);
    const audio = await context.decodeAudioData(await file.arrayBuffer());
    Object.assign(state, { samples: audio.getChannelData(0), duration: audio.duration });
  } catch {
    // The browser cannot decode this format; the function may be able to.
  }
  byId("wave").hidden = !state.samples;
  describe();
  draw();
}

/** Mark the spans in the function's log: the `chunks` that were sent, and the silence that was `not_sent`; in seconds. */
export function markSound({ chunks = [], not_sent: silences = [] }) {
  state.cuts = chunks.slice(1).map(([start]) => start);
  state.silences = silences;
  describe();
  draw();
}

export function seek(seconds, { play }) {
  const player = byId("player");
  player.currentTime = seconds;
  if (play) player.play().catch(() => {}); // the player itself shows that a codec is missing
}

function follow() {
  const { currentTime, duration } = byId("player");
  const playhead = byId("playhead");
  playhead.hidden = !currentTime;
  playhead.style.left = `${(100 * currentTime) / (state.duration || duration || 1)}%`;
  state.onTime(currentTime);
}

function describe() {
  const parts = [];
  if (state.duration) parts.push(`${shownTime(state.duration)} of sound`);
  if (state.cuts.length) parts.push(`${state.cuts.length} ${state.cuts.length === 1 ? "cut" : "cuts"} (dashed)`);
  const silent = state.silences.reduce((sum, [start, end]) => sum + end - start, 0);
  if (silent) parts.push(`${silent.toFixed(1)} s of silence not sent (grey)`);
  byId("wave-note").textContent = parts.length ? `${parts.join(", ")}.` : "";
  byId("waveform").setAttribute("aria-label", `Waveform: ${parts.join(", ") || "not known yet"}`);
}

function draw() {
  const canvas = byId("waveform");
  const { width, height } = canvas.getBoundingClientRect();
  if (!state.samples || !width) return;
  const scale = window.devicePixelRatio;
  canvas.width = width * scale;
  canvas.height = height * scale;
  const style = getComputedStyle(document.documentElement);
  const [accent, hatch, ink] = ["--accent", "--hatch", "--ink"].map((name) => style.getPropertyValue(name));
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  const bars = Math.floor(width / BAR_WIDTH);
  const peaks = peaksOf(state.samples, bars);
  const loudest = Math.max(...peaks, 0.05);
  peaks.forEach((peak, bar) => {
    const time = ((bar + 0.5) / bars) * state.duration;
    const isSilent = state.silences.some(([start, end]) => start <= time && time < end);
    const barHeight = Math.max(1, (peak / loudest) * (height - 6));
    pen.fillStyle = isSilent ? hatch : accent;
    pen.fillRect(bar * BAR_WIDTH, (height - barHeight) / 2, BAR_WIDTH - 1, barHeight);
  });
  pen.strokeStyle = ink;
  pen.setLineDash([4, 4]);
  for (const cut of state.cuts) {
    const x = Math.round((cut / state.duration) * width) + 0.5;
    pen.beginPath();
    pen.moveTo(x, 0);
    pen.lineTo(x, height);
    pen.stroke();
  }
}

function peaksOf(samples, bars) {
  const samplesPerBar = samples.length / bars;
  return Array.from({ length: bars }, (_, bar) => {
    let peak = 0;
    const end = Math.min(samples.length, Math.ceil((bar + 1) * samplesPerBar));
    for (let index = Math.floor(bar * samplesPerBar); index < end; index += 1) peak = Math.max(peak, Math.abs(samples[index]));
    return peak;
  });
}
