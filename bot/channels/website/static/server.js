/* The server as the widget sees it. */

// Milliseconds until a try is given up, and until whoever waits is shown the phone line. They are to read it within 5 s;
// without a network they do after 4, when all tries have failed.
const PATIENCE = 20000;
const LONG = 4300;

class Refused extends Error {
  constructor(status, sentence, wait) {
    super(sentence);
    this.status = status;
    this.wait = wait;
  }
}

const pause = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));

/* Waits for something, and says so when that takes long. */
const patiently = async (work, slow) => {
  const watch = setTimeout(slow, LONG);
  try {
    return await work;
  } finally {
    clearTimeout(watch);
  }
};

/* Gives up after a while, unless whoever asks brings a signal and watches for themselves. */
const ask = async (path, body, signal = AbortSignal.timeout(PATIENCE)) => {
  const { token } = browser.recall();
  const headers = {};
  if (token) headers.Authorization = "Bearer " + token;
  if (body) headers["Content-Type"] = "application/json";
  const response = await fetch(new URL(path, BASE), {
    method: body ? "POST" : "GET",
    headers,
    body: body && JSON.stringify(body),
    signal,
    credentials: "omit",
    cache: "no-store",
  });
  if (response.ok) return response;
  const { error } = await response.json().catch(() => ({}));
  throw new Refused(response.status, error, Number(response.headers.get("Retry-After")));
};

/* The session of this browser, asked for once a page. */
let session;
const meet = () => {
  session ||= ask("session", {})
    .then((response) => response.json())
    .then((met) => {
      browser.remember({ token: met.token });
      return met;
    })
    .catch((problem) => {
      session = null;
      throw problem;
    });
  return session;
};

const forget = () => {
  session = null;
  browser.remember({ token: null, thumbs: {} });
};

/* Asks as a visitor who is known; one whose token has expired becomes a new one. */
const askKnown = async (path, body, signal) => {
  await meet();
  try {
    return await ask(path, body, signal);
  } catch (problem) {
    if (problem.status !== 401) throw problem;
    forget();
    await meet();
    return ask(path, body, signal);
  }
};

/* For the clinic's charts; whether it arrives is no matter of the visitor's. */
const opened = (target) => void askKnown("clicks", { target }).catch(() => {});

const history = async () => (await (await askKnown("history")).json()).items;

/* Sends a message and hears what comes back, line by line. Rejects when the answer was cut off. */
const converse = async (message, again, hear) => {
  const cut = new AbortController();
  let watch;
  const wait = () => {
    clearTimeout(watch);
    watch = setTimeout(() => cut.abort(), PATIENCE);
  };
  wait();
  try {
    const { id, text, button } = message;
    const response = await askKnown("messages", { id, text, button, again }, cut.signal);
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    let rest = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) throw new TypeError("cut off");
      wait();
      const lines = (rest + decoder.decode(value, { stream: true })).split("\n");
      rest = lines.pop();
      for (const line of lines) {
        const said = JSON.parse(line);
        if (said.type === "done") return;
        hear(said);
      }
    }
  } finally {
    clearTimeout(watch);
  }
};
