// The same request as code that runs where the file is. Keys are read from the environment, never shown.

const shell = (text) => `'${text.replaceAll("'", `'\\''`)}'`;
// JSON's texts and numbers are Python's and JavaScript's, too.
const literal = (value) => JSON.stringify(value);
const onlyTranscribes = (model) => /whisper|transcribe/i.test(model);

/** `ask` is {functionUrl, source, options, models, access, inline}; `inline` says that the file goes as base64. */
export function codeFor(language, ask) {
  return { curl, requests, openai, fetch: javascript }[language](ask);
}

/** What has to be known of the code beside it. */
export function noteFor(ask) {
  const notes = ["ACCESS_TOKEN is read from the environment, and may be missing where the function is open."];
  if (ask.access.authToken) notes.push("So is AUTH_TOKEN, the secret key for a private function.");
  if (ask.inline) notes.push(`Run it where ${ask.source.file.name} is.`);
  return notes.join(" ");
}

const address = ({ source }) => source?.url ?? source?.kept?.url ?? "https://example.com/talk.mp3";
const isJson = ({ options }) => ["json", "verbose_json"].includes(options.response_format ?? "json");

function curl(ask) {
  const token = ask.access.authToken ? ` \\\n    -H "X-Auth-Token: \${AUTH_TOKEN:-}"` : "";
  const headers = `-H 'Content-Type: application/json' \\\n    -H "Authorization: Bearer \${ACCESS_TOKEN:-}"${token}`;
  const call = `curl ${shell(ask.functionUrl)} ${headers}`;
  if (!ask.inline) return `${call} \\\n    --data-binary ${shell(JSON.stringify({ url: address(ask), ...ask.options }))}\n`;
  const rest = JSON.stringify(ask.options).slice(1);
  return `{
  printf '{"audio": "'
  base64 < ${shell(ask.source.file.name)} | tr -d '\\n'
  printf '%s' ${shell(rest === "}" ? '"}' : `", ${rest}`)}
} | ${call} \\
    --data-binary @-
`;
}

function requests(ask) {
  const fields = Object.entries(ask.options).map(([name, value]) => `        ${literal(name)}: ${literal(value)},\n`);
  const token = ask.access.authToken ? `\n        "X-Auth-Token": os.environ.get("AUTH_TOKEN", ""),` : "";
  return `import os
${ask.inline ? "from base64 import b64encode\nfrom pathlib import Path\n" : ""}
import requests

answer = requests.post(
    ${literal(ask.functionUrl)},
    headers={
        "Authorization": f"Bearer {os.environ.get('ACCESS_TOKEN', '')}",${token}
    },
    json={
        ${ask.inline ? `"audio": b64encode(Path(${literal(ask.source.file.name)}).read_bytes()).decode(),` : `"url": ${literal(address(ask))},`}
${fields.join("")}    },
    timeout=300,
)
answer.raise_for_status()
print(${isJson(ask) ? 'answer.json()["text"]' : "answer.text"})
`;
}

function openai(ask) {
  const { model = ask.models[0], prompt, language, response_format: format = "json", ...numbers } = ask.options;
  const token = ask.access.authToken ? `\n    default_headers={"X-Auth-Token": os.environ.get("AUTH_TOKEN", "")},` : "";
  const head = `import os
${ask.inline ? "from base64 import b64encode\nfrom pathlib import Path\n" : ""}
from openai import OpenAI

client = OpenAI(
    base_url=${literal(`${ask.functionUrl.replace(/\/$/, "")}/v1`)},
    api_key=os.environ.get("ACCESS_TOKEN", "none"),${token}
)
${ask.inline ? `audio = b64encode(Path(${literal(ask.source.file.name)}).read_bytes()).decode()\n` : ""}`;
  return head + (onlyTranscribes(model) ? transcription(ask, model) : completion(ask, { model, prompt, language, format, numbers }));
}

function completion(ask, { model, prompt, language, format, numbers }) {
  const part = ask.inline
    ? `{"type": "input_audio", "input_audio": {"data": audio, "format": ${literal(extension(ask.source.file.name))}}}`
    : `{"type": "audio_url", "audio_url": {"url": ${literal(address(ask))}}}`;
  const text = prompt ? `{"type": "text", "text": ${literal(prompt)}}, ` : "";
  const options = Object.entries(numbers).map(([name, value]) => `    ${name}=${literal(value)},\n`);
  const extra = { ...(language && { language }), ...(format !== "text" && { response_format: format }) };
  if (Object.keys(extra).length) options.push(`    extra_body=${literal(extra)},\n`);
  return `answer = client.chat.completions.create(
    model=${literal(model)},
    messages=[{"role": "user", "content": [${text}${part}]}],
${options.join("")})
print(answer.choices[0].message.content)
`;
}

// The SDK's own transcriptions.create sends a form, which the platform destroys; the same path takes JSON.
function transcription(ask, model) {
  const fields = Object.entries({ ...ask.options, model }).map(([name, value]) => `        ${literal(name)}: ${literal(value)},\n`);
  return `answer = client.post(
    "/audio/transcriptions",
    body={
        ${ask.inline ? '"file": audio,' : `"url": ${literal(address(ask))},`}
${fields.join("")}    },
    cast_to=${isJson(ask) ? "object" : "str"},
)
print(${isJson(ask) ? 'answer["text"]' : "answer"})
`;
}

function javascript(ask) {
  const fields = Object.entries(ask.options).map(([name, value]) => `    ${name}: ${literal(value)},\n`);
  const token = ask.access.authToken ? `\n    "X-Auth-Token": process.env.AUTH_TOKEN ?? "",` : "";
  return `${ask.inline ? 'import { readFile } from "node:fs/promises";\n\n' : ""}const answer = await fetch(${literal(ask.functionUrl)}, {
  method: "POST",
  headers: {
    "Content-Type": "application/json",
    Authorization: \`Bearer \${process.env.ACCESS_TOKEN ?? ""}\`,${token}
  },
  body: JSON.stringify({
    ${ask.inline ? `audio: (await readFile(${literal(ask.source.file.name)})).toString("base64"),` : `url: ${literal(address(ask))},`}
${fields.join("")}  }),
});
if (!answer.ok) throw new Error(await answer.text());
console.log(${isJson(ask) ? "(await answer.json()).text" : "await answer.text()"});
`;
}

const extension = (name) => name.split(".").at(-1).toLowerCase();
