import OpenAI, { toFile } from "openai";
import { apiKey, baseURL, bytes, collect, encoded, url } from "./calls.mjs";

const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
const model = "whisper-large-v3";
const part = { type: "input_audio", input_audio: { data: encoded, format: "mp3" } };
const messages = [{ role: "user", content: [{ type: "text", text: "Transcribe this recording." }, part] }];
const textFile = () => toFile(Buffer.from(encoded), "talk.mp3");

async function all(stream, read) {
  const found = [];
  for await (const event of await stream) found.push(read(event));
  return found;
}

await collect({
  chat: async () => (await client.chat.completions.create({ model, messages })).choices[0].message.content,
  chatStream: () =>
    all(client.chat.completions.create({ model, messages, stream: true }), (chunk) => chunk.choices[0]?.delta?.content ?? ""),
  transcription: async () => client.audio.transcriptions.create({ model, file: await textFile() }),
  subtitles: async () => client.audio.transcriptions.create({ model, file: await textFile(), response_format: "srt" }),
  events: async () =>
    all(client.audio.transcriptions.create({ model, file: await textFile(), stream: true }), (event) => event.type),
  address: async () => client.audio.transcriptions.create({ model, file: await toFile(Buffer.from(""), "none"), url }),
  binary: async () => client.audio.transcriptions.create({ model, file: await toFile(bytes, "talk.mp3") }),
  models: () => all(client.models.list(), (each) => each.id),
  retrieve: async () => (await client.models.retrieve(model)).id,
  responses: () => client.responses.create({ model, input: "hello" }),
  translations: async () => client.audio.translations.create({ model, file: await textFile() }),
});
