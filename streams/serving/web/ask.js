// Questions to the server, and streams from it. The token is asked for when the server wants one.

const KEY = "freshrec.token";
const AGAIN_MS = 2000;
const connection = document.getElementById("connection");
const dialog = document.getElementById("access");

/** An answer that is no answer: `status` 0 where there was none at all. */
export class Problem extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

function tell(text, well) {
  if (connection.textContent !== text) connection.textContent = text;
  connection.className = well ? "well" : "ill";
}

let asking = null;

/** Asks a person for the token, once for all questions that wait for it. */
function token(problem) {
  asking ??= new Promise((resolve) => {
    const input = document.getElementById("access-token");
    document.getElementById("access-problem").textContent = problem;
    document.getElementById("access-form").addEventListener(
      "submit",
      () => {
        sessionStorage.setItem(KEY, input.value.trim());
        input.value = "";
        asking = null;
        resolve();
      },
      { once: true },
    );
    if (!dialog.open) dialog.showModal();
  });
  return asking;
}

// Without a token there is nothing to go back to.
dialog.addEventListener("cancel", (event) => event.preventDefault());

async function open(path, signal) {
  for (;;) {
    const known = sessionStorage.getItem(KEY);
    let response;
    try {
      response = await fetch(path, { signal, headers: known ? { Authorization: `Bearer ${known}` } : {} });
    } catch (error) {
      if (signal.aborted) throw error;
      tell("no answer from the server", false);
      throw new Problem(0, "The server does not answer; it is asked again.");
    }
    if (response.status === 401) {
      if (sessionStorage.getItem(KEY) === known) await token(known ? "That was not the token." : "");
      continue;
    }
    if (response.ok) return response;
    const told = await response.json().catch(() => ({}));
    tell(response.status === 503 ? "the server is not ready" : "connected", response.status !== 503);
    throw new Problem(response.status, told.detail ?? `The server answers ${response.status}.`);
  }
}

/** Gives the JSON at a path. */
export async function ask(path, signal) {
  const response = await open(path, signal);
  const message = await response.json();
  tell("connected", true);
  return message;
}

const pause = (ms, signal) =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });

/** Calls `take` with each event of a stream until the signal; a stream that ends is opened again. */
export async function listen(path, signal, take, fail) {
  while (!signal.aborted) {
    try {
      const response = await open(path, signal);
      tell("live", true);
      await read(response.body.getReader(), take);
      if (!signal.aborted) tell("the stream ended; it is opened again", false);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Problem) fail(error);
      else tell("the stream broke; it is opened again", false);
    }
    await pause(AGAIN_MS, signal);
  }
}

async function read(reader, take) {
  const decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const frames = (rest + decoder.decode(value, { stream: true })).split("\n\n");
    rest = frames.pop();
    for (const frame of frames) {
      const data = frame.split("\n").find((line) => line.startsWith("data: "));
      if (data !== undefined) take(JSON.parse(data.slice(6)));
    }
  }
}

/** Asks again and again until the signal. */
export async function poll(path, everyMs, signal, take, fail) {
  while (!signal.aborted) {
    try {
      take(await ask(path, signal));
    } catch (error) {
      if (signal.aborted) return;
      fail(error);
    }
    await pause(everyMs, signal);
  }
}
