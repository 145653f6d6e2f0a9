// Makes each call of a client, and collects what came of it: its value, or the status and message of its error.

export const baseURL = process.env.BASE_URL;
export const apiKey = process.env.TOKEN;
export const encoded = process.env.ENCODED;
export const bytes = Buffer.from(encoded, "base64");
export const url = process.env.RECORDING_URL;

export async function collect(calls) {
  const found = {};
  for (const [name, call] of Object.entries(calls)) {
    try {
      found[name] = { value: await call() };
    } catch (error) {
      const status = error.status ?? error.statusCode ?? null;
      found[name] = { error: error.constructor.name, status, message: String(error.message) };
    }
  }
  process.stdout.write(JSON.stringify(found));
}
