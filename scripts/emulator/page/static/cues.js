// Subtitles: parsed from the function's answer, or written from its segments. A segment is {start, end, text}.

const TIMES = /^((?:\d+:)?\d+:\d+[.,]\d+)\s+-->\s+((?:\d+:)?\d+:\d+[.,]\d+)/;
const ENTITIES = { "&lt;": "<", "&gt;": ">", "&amp;": "&", "&nbsp;": " ", "&lrm;": "\u200e", "&rlm;": "\u200f" };

/** The cues of an SRT or WebVTT file, as segments. */
export function readCues(file, format) {
  const segments = [];
  for (const block of file.replaceAll("\r\n", "\n").split(/\n{2,}/)) {
    const lines = block.split("\n");
    const timed = lines.findIndex((line) => TIMES.test(line));
    if (timed < 0) continue;
    const [, start, end] = lines[timed].match(TIMES);
    const text = lines.slice(timed + 1).join(" ").trim();
    segments.push({ start: seconds(start), end: seconds(end), text: format === "vtt" ? plain(text) : text });
  }
  return segments;
}

/** The comments of a WebVTT file: the function's warnings. */
export function readNotes(file) {
  const blocks = file.replaceAll("\r\n", "\n").split(/\n{2,}/);
  return blocks.filter((block) => block.startsWith("NOTE ")).map((block) => block.slice(5).replaceAll("\n", " "));
}

export function writeCues(segments, format) {
  const cues = segments.map(({ start, end, text }, index) => {
    const times = `${stamp(start, format)} --> ${stamp(end, format)}`;
    return format === "vtt" ? `${times}\n${escaped(text)}\n` : `${index + 1}\n${times}\n${text.replaceAll("-->", "→")}\n`;
  });
  return (format === "vtt" ? "WEBVTT\n\n" : "") + cues.join("\n");
}

const seconds = (text) => text.replace(",", ".").split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
const plain = (text) => text.replace(/<[^>]*>/g, "").replace(/&\w+;/g, (entity) => ENTITIES[entity] ?? entity);
const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

function stamp(time, format) {
  const milliseconds = Math.round(time * 1000);
  const part = (size, divisor, length) => String(Math.floor(milliseconds / divisor) % size).padStart(length, "0");
  const clock = [part(Infinity, 3_600_000, 2), part(60, 60_000, 2), part(60, 1000, 2)].join(":");
  return clock + (format === "vtt" ? "." : ",") + part(1000, 1, 3);
}
