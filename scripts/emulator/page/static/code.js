// The request as code to run where the file is. Keys are read from the environment, never shown.

const shell = (text) => `'${text.replaceAll("'", `'\\''`)}'`;
// JSON's texts and numbers are valid in Python and JavaScript, too.
const literal = (value) => JSON.stringify(value);
const onlyTranscribes = (model) => /whisper|transcribe/i.test(model);

/** `spec` is {functionUrl, source, options, models, access, inline}; `inline` means that the file is sent as base64. */
export function codeFor(language, spec) {
  return { curl, requests, openai, fetch: javascript }[language](spec);
}

/** The note beside the code. */
export function noteFor(spec) {
  const notes = ["ACCESS_TOKEN is read from the environment; it is not needed if the function has none."];
  if (spec.access.authToken) notes.push("AUTH_TOKEN, the secret key for a private function, is read from there, too.");
  if (spec.inline) notes.push(`Run it where ${spec.source.file.name} is.`);
  return notes.join(" ");
}

// The fields of a source that is not inline: an address, or a place in the bucket.
const place = ({ source }) => source?.stored ?? { url: source?.url ?? "https://example.com/talk.mp3" };
const lines = (fields, indent) => Object.entries(fields).map(([name, value]) => `${indent}${literal(name)}: ${literal(value)},\n`).join("");
const isJson = ({ options }) => ["json", "verbose_json"].includes(options.response_format ?? "json");

function curl(spec) {
  const token = spec.access.authToken ? ` \\\n    -H "X-Auth-Token: \${AUTH_TOKEN:-}"` : "";
  const headers = `-H 'Content-Type: application/json' \\\n    -H "Authorization: Bearer \${ACCESS_TOKEN:-}"${token}`;
  const call = `curl ${shell(spec.functionUrl)} ${headers}`;
  if (!spec.inline) return `${call} \\\n    --data-binary ${shell(JSON.stringify({ ...place(spec), ...spec.options }))}\n`;
  const rest = JSON.stringify(spec.options).slice(1);
  return `{
  printf '{"audio": "'
  base64 < ${shell(spec.source.file.name)} | tr -d '\\n'
  printf '%s' ${shell(rest === "}" ? '"}' : `", ${rest}`)}
} | ${call} \\
    --data-binary @-
`;
}

function requests(spec) {
  const fields = Object.entries(spec.options).map(([name, value]) => `        ${literal(name)}: ${literal(value)},\n`);
  const token = spec.access.authToken ? `\n        "X-Auth-Token": os.environ.get("AUTH_TOKEN", ""),` : "";
  return `import os
${spec.inline ? "from base64 import b64encode\nfrom pathlib import Path\n" : ""}
import requests

answer = requests.post(
    ${literal(spec.functionUrl)},
    headers={
        "Authorization": f"Bearer {os.environ.get('ACCESS_TOKEN', '')}",${token}
    },
    json={
${spec.inline ? `        "audio": b64encode(Path(${literal(spec.source.file.name)}).read_bytes()).decode(),\n` : lines(place(spec), "        ")}${fields.join("")}    },
    timeout=300,
)
answer.raise_for_status()
print(${isJson(spec) ? 'answer.json()["text"]' : "answer.text"})
`;
}

function openai(spec) {
  const { model = spec.models[0], prompt, language, response_format: format = "json", allow_partial, ...numbers } = spec.options;
  const token = spec.access.authToken ? `\n    default_headers={"X-Auth-Token": os.environ.get("AUTH_TOKEN", "")},` : "";
  const head = `import os
${spec.inline ? "from base64 import b64encode\nfrom pathlib import Path\n" : ""}
from openai import OpenAI

client = OpenAI(
    base_url=${literal(`${spec.functionUrl.replace(/\/$/, "")}/v1`)},
    api_key=os.environ.get("ACCESS_TOKEN", "none"),${token}
)
${spec.inline ? `audio = b64encode(Path(${literal(spec.source.file.name)}).read_bytes()).decode()\n` : ""}`;
  // A chat completion has no part for a place in the bucket; the other path takes any model.
  return head + (onlyTranscribes(model) || spec.source?.stored ? transcription(spec, model) : completion(spec, { model, prompt, language, format, allow_partial, numbers }));
}

function completion(spec, { model, prompt, language, format, allow_partial, numbers }) {
  const part = spec.inline
    ? `{"type": "input_audio", "input_audio": {"data": audio, "format": ${literal(extension(spec.source.file.name))}}}`
    : `{"type": "audio_url", "audio_url": {"url": ${literal(place(spec).url)}}}`;
  const text = prompt ? `{"type": "text", "text": ${literal(prompt)}}, ` : "";
  const options = Object.entries(numbers).map(([name, value]) => `    ${name}=${literal(value)},\n`);
  const extra = { ...(language && { language }), ...(format !== "text" && { response_format: format }), ...(allow_partial && { allow_partial }) };
  if (Object.keys(extra).length) options.push(`    extra_body=${literal(extra)},\n`);
  return `answer = client.chat.completions.create(
    model=${literal(model)},
    messages=[{"role": "user", "content": [${text}${part}]}],
${options.join("")})
print(answer.choices[0].message.content)
`;
}

// The SDK's transcriptions.create sends a form, whose bytes the platform destroys; the same path takes JSON.
function transcription(spec, model) {
  const fields = Object.entries({ ...spec.options, model }).map(([name, value]) => `        ${literal(name)}: ${literal(value)},\n`);
  return `answer = client.post(
    "/audio/transcriptions",
    body={
${spec.inline ? '        "file": audio,\n' : lines(place(spec), "        ")}${fields.join("")}    },
    cast_to=${isJson(spec) ? "object" : "str"},
)
print(${isJson(spec) ? 'answer["text"]' : "answer"})
`;
}

function javascript(spec) {
  const fields = Object.entries(spec.options).map(([name, value]) => `    ${name}: ${literal(value)},\n`);
  const token = spec.access.authToken ? `\n    "X-Auth-Token": process.env.AUTH_TOKEN ?? "",` : "";
  return `${spec.inline ? 'import { readFile } from "node:fs/promises";\n\n' : ""}const answer = await fetch(${literal(spec.functionUrl)}, {
  method: "POST",
  headers: {
    "Content-Type": "application/json",
    Authorization: \`Bearer \${process.env.ACCESS_TOKEN ?? ""}\`,${token}
  },
  body: JSON.stringify({
${spec.inline ? `    audio: (await readFile(${literal(spec.source.file.name)})).toString("base64"),\n` : lines(place(spec), "    ")}${fields.join("")}  }),
});
if (!answer.ok) throw new Error(await answer.text());
console.log(${isJson(spec) ? "(await answer.json()).text" : "await answer.text()"});
`;
}

const extension = (name) => name.split(".").at(-1).toLowerCase();
