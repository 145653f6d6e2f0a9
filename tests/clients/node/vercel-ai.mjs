import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, streamText, transcribe } from "ai";
import { apiKey, baseURL, bytes, collect, encoded } from "./calls.mjs";

const openai = createOpenAI({ baseURL, apiKey });
const compatible = createOpenAICompatible({ name: "transcriber", baseURL, apiKey });
const name = "whisper-large-v3";
const file = { type: "file", data: bytes, mediaType: "audio/mpeg" };
const messages = [{ role: "user", content: [{ type: "text", text: "Transcribe this recording." }, file] }];
const once = { maxRetries: 0 };

async function streamed(model) {
  let text = "";
  for await (const part of streamText({ model, messages, ...once, onError() {} }).fullStream) {
    if (part.type === "error") throw part.error;
    if (part.type === "text-delta") text += part.text;
  }
  return text;
}

await collect({
  generateText: async () => (await generateText({ model: openai.chat(name), messages, ...once })).text,
  compatible: async () => (await generateText({ model: compatible(name), messages, ...once })).text,
  streamText: () => streamed(openai.chat(name)),
  responses: async () =>
    (await generateText({ model: openai(name), prompt: "hello", ...once })).text,
  transcribe: async () =>
    (await transcribe({ model: openai.transcription(name), audio: Buffer.from(encoded), ...once })).text,
  transcribeBinary: async () => (await transcribe({ model: openai.transcription(name), audio: bytes, ...once })).text,
});
