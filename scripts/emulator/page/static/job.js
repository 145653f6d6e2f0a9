// A job: the function works on a recording by itself, and the page looks at it now and then, also after it was closed.

// The id of a job, and what the page shows of it; never a token.
const REMEMBERED = "transcriber.job";
// Each look is a request to the function: soon at first, for short recordings, and then rarely.
const FIRST_POLL_MS = 1000;
const LONGEST_POLL_MS = 15_000;
const POLL_FACTOR = 1.3;
// A function that does not answer for a while is asked again this many times.
const FAILURES_IN_A_ROW = 10;

/** Put a file into the bucket, past the function, which signs the address; returns {bucket, key}, the source's fields. */
export async function upload(functionUrl, file, { headers, signal, onProgress }) {
  const signed = await request(functionUrl, "POST", "v1/uploads", { headers, signal }, { filename: file.name, bytes: file.size });
  if (signed.status !== 201) return { refused: signed };
  const { url, headers: signedHeaders, bucket, key } = JSON.parse(signed.text);
  await put(url, file, { headers: signedHeaders, signal, onProgress });
  return { bucket, key };
}

/** Ask for a job; returns the reply, whose status is 202 if there is one. */
export function createJob(functionUrl, body, access) {
  return request(functionUrl, "POST", "v1/audio/transcriptions", access, { ...body, async: true });
}

/** Wait until the job has ended; returns the reply to the last look, and calls `onProgress` with each job before. */
export async function waitForJob(functionUrl, id, { headers, signal, onProgress }) {
  let pause = FIRST_POLL_MS;
  let failures = 0;
  for (;;) {
    const reply = await request(functionUrl, "GET", path(id), { headers, signal }).catch((error) => {
      if (error.name === "AbortError" || (failures += 1) > FAILURES_IN_A_ROW) throw error;
      return null;
    });
    if (reply && reply.status < 500 && reply.status !== 429) {
      failures = 0;
      if (reply.status !== 200) return reply;
      const job = JSON.parse(reply.text);
      if (["completed", "failed"].includes(job.status)) return reply;
      onProgress(job);
    } else if (reply && (failures += 1) > FAILURES_IN_A_ROW) return reply;
    await sleep(pause, signal);
    pause = Math.min(LONGEST_POLL_MS, pause * POLL_FACTOR);
  }
}

/** The transcript in a format, or the error of a job that failed, with its own status. */
export function contentOf(functionUrl, id, format, access) {
  return request(functionUrl, "GET", `${path(id)}/content?response_format=${encodeURIComponent(format)}`, access);
}

/** Remove a job, and what is its own. */
export const removeJob = (functionUrl, id, access) => request(functionUrl, "DELETE", path(id), access);

export function remember(job) {
  try {
    localStorage.setItem(REMEMBERED, JSON.stringify(job));
  } catch {
    // A browser without storage: the job ends all the same, and its transcript is in the bucket.
  }
}

/** {id, name, format, functionUrl} of a job that was running when the page was closed; null if there is none. */
export function remembered() {
  try {
    return JSON.parse(localStorage.getItem(REMEMBERED) ?? "null");
  } catch {
    return null;
  }
}

export function forget() {
  try {
    localStorage.removeItem(REMEMBERED);
  } catch {
    // There was nothing to forget.
  }
}

const path = (id) => `v1/audio/transcriptions/${encodeURIComponent(id)}`;

async function request(functionUrl, method, path, { headers, signal }, body) {
  const sent = body === undefined ? { headers } : { headers: { ...headers, "Content-Type": "application/json" }, body: JSON.stringify(body) };
  const answer = await fetch(`${functionUrl}${path}`, { method, signal, ...sent });
  return { status: answer.status, text: await answer.text(), headers: answer.headers, requestId: answer.headers.get("X-Request-Id") ?? "" };
}

// XMLHttpRequest, since fetch does not say how much of a body was sent.
function put(url, file, { headers, signal, onProgress }) {
  return new Promise((resolve, reject) => {
    const sending = new XMLHttpRequest();
    sending.open("PUT", url);
    for (const [name, value] of Object.entries(headers)) {
      if (name.toLowerCase() !== "content-length") sending.setRequestHeader(name, value); // the browser's own, and the same
    }
    sending.upload.addEventListener("progress", (event) => onProgress(event.loaded / file.size));
    sending.addEventListener("load", () => {
      if (sending.status < 300) resolve();
      else reject(new Error(`The storage refused the file (${sending.status}). Its CORS rule has to allow this page.`));
    });
    sending.addEventListener("error", () => reject(new Error("The file did not reach the storage. Its CORS rule has to allow this page.")));
    const abort = () => {
      sending.abort();
      reject(new DOMException("The upload was cancelled.", "AbortError"));
    };
    signal.addEventListener("abort", abort, { once: true });
    sending.send(file);
  });
}

function sleep(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new DOMException("Cancelled.", "AbortError"));
    }, { once: true });
  });
}
