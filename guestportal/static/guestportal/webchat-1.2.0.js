/**
 * webchat.js 1.2.0: from a visitor's consent to a guest with a token.
 *
 * It stores nothing: session id and tokens live in the page's memory until the page or `close()`
 * ends them. Types and every option: webchat-1.2.0.d.ts.
 */

export const version = "1.2.0";

const MARGIN = 60_000; // renew this long before a token ends, or a tenth of its life if less
const UNKNOWN = 30_000; // look again after this where no life can be told
const LATEST = 2 ** 31 - 1; // the longest setTimeout there is
const SERVED = Symbol("when the server answered, by its clock");
const WORTH_ANOTHER_TRY = [0, 409, 429, 503]; // 502 and 504 are not: a guest may exist already

/** What a call ended with: `code` is stable, `message` a sentence fit for the visitor. */
export class WebchatError extends Error {
  constructor(code, message, { cause, status = 0, requestId, retryAfter, fields } = {}) {
    super(message, { cause });
    Object.assign(this, { name: "WebchatError", code, status, requestId, retryAfter, fields });
  }
}

/** The privacy notice to show first; its version and language go to `init`. */
export async function notice({ language = document.documentElement.lang, ...options }) {
  return call(`notice${language && `?language=${encodeURIComponent(language)}`}`, null, options);
}

/** Turn what the visitor decided into a guest; resolves to a Chat. */
export async function init({ consent, consentType, noticeVersion, language, ...options }) {
  if (typeof consent !== "boolean") {
    throw new TypeError("consent must be true or false: ask the visitor, assume nothing");
  }
  const identity = await identify(options);
  const said = { consentGiven: consent, consentType, noticeVersion, language };
  const answer = await call("init", { ...identity, ...said }, options);
  return new Chat(identity, answer, { ...options, signal: undefined });
}

/** Take a session's consent back, also where its Chat is gone; resolves to the guests withdrawn. */
export async function withdraw(options) {
  const { withdrawn } = await call("consent/withdraw", await identify(options), options);
  return withdrawn;
}

class Chat {
  #identity;
  #options;
  #access;
  #due = 0; // milliseconds on the stopwatch
  #stopwatch;
  #timer;
  #renewal;
  #closed = false;
  #end; // what a withdrawal says where the chat was handed to

  constructor(identity, { crmAttributes, platform, messenger, ...access }, options) {
    this.#identity = identity;
    this.#options = options;
    this.session = identity.sessionId;
    this.guestId = access.guestId;
    Object.assign(this, { crmAttributes, platform, messenger });
    this.#keep(access);
    // A computer that slept, or a page that comes back, may have missed its timer.
    for (const [target, event] of [[document, "visibilitychange"], [window, "pageshow"]]) {
      target.addEventListener(event, this.#look);
    }
  }

  /** The token as it is now; `token()` makes sure that it is a good one. */
  get accessToken() {
    return this.#access?.accessToken;
  }

  get expiresAt() {
    return this.#access?.expiresAt;
  }

  /** Resolve to a token that has not ended, a new one where it is time. */
  async token() {
    this.#stayOpen();
    return this.#stopwatch() < this.#due ? this.accessToken : this.#renew();
  }

  /** Tell the stock Messenger who this is; wait for it before a conversation starts. */
  handToMessenger(genesys = (...call) => globalThis.Genesys(...call)) {
    this.#stayOpen();
    const { customAttributes } = this.messenger;
    const set = (attributes, ...then) =>
      genesys("command", "Database.set", { messaging: { customAttributes: attributes } }, ...then);
    this.#end = () => {
      set({ ...customAttributes, guestportal_consent: "declined" });
      genesys("command", "MessagingService.clearConversation");
    };
    return new Promise((resolve, reject) => {
      const failed = () => reject(new WebchatError("messenger", "The chat window does not answer."));
      const timer = setTimeout(failed, this.#options.timeout ?? 20_000);
      const done = () => (clearTimeout(timer), resolve());
      const ready = () => this.#closed || set(customAttributes, done, failed);
      genesys("subscribe", "Database.ready", ready);
    });
  }

  /** Open the session on a socket of the page's own to `messenger.socketUrl`. */
  handToSocket(socket) {
    this.#stayOpen();
    const [{ deploymentId }, token] = [this.messenger, this.accessToken];
    const send = (action, fields) => socket.send(JSON.stringify({ action, token, ...fields }));
    const configure = () =>
      send("configureSession", {
        deploymentId,
        startNew: false,
        tracingId: crypto.randomUUID(),
        journeyContext: {
          customer: { id: token, idType: "cookie" },
          customerSession: { id: "", type: "web" },
        },
      });
    this.#end = () =>
      socket.readyState === 1 ? send("closeSession", { closeAllConnections: true }) : socket.close();
    if (socket.readyState) configure();
    else socket.addEventListener("open", configure, { once: true });
  }

  /** Take consent back: from this moment no token is renewed, whatever the network does. */
  async withdraw() {
    this.close();
    const answer = call("consent/withdraw", this.#identity, this.#options);
    this.#end?.();
    return (await answer).withdrawn;
  }

  /** Forget the token and stop renewing it. */
  close() {
    this.#closed = true;
    this.#access = undefined;
    clearTimeout(this.#timer);
    document.removeEventListener("visibilitychange", this.#look);
    window.removeEventListener("pageshow", this.#look);
  }

  #stayOpen() {
    if (this.#closed) throw new WebchatError("closed", "This chat has ended.");
  }

  #keep({ [SERVED]: served = Date.now(), ...access }) {
    this.#stayOpen();
    // A life, by the server's own clock: the visitor's may be hours wrong.
    const life = Date.parse(access.expiresAt) - served;
    this.#access = access;
    this.#wakeIn(life > 0 ? life - Math.min(MARGIN, life / 10) : UNKNOWN);
    this.#options.onToken?.(access.accessToken, access.expiresAt);
    return access.accessToken;
  }

  #wakeIn(milliseconds) {
    const wait = Math.min(milliseconds, LATEST);
    clearTimeout(this.#timer);
    this.#stopwatch = stopwatch();
    this.#due = wait;
    this.#timer = setTimeout(() => this.#renewQuietly(), wait);
  }

  #look = () => {
    if (!document.hidden && this.#stopwatch() >= this.#due) this.#renewQuietly();
  };

  #renewQuietly() {
    return this.#renew().catch((error) => this.#failed(error));
  }

  /** One renewal at a time, however many ask. */
  #renew() {
    clearTimeout(this.#timer);
    const body = { ...this.#identity, guestId: this.guestId };
    this.#renewal ??= call("token", body, this.#options)
      .then((access) => this.#keep(access))
      .finally(() => (this.#renewal = undefined));
    return this.#renewal;
  }

  #failed(error) {
    if (this.#closed) return;
    if (WORTH_ANOTHER_TRY.includes(error.status)) {
      this.#wakeIn(Math.max((error.retryAfter ?? 0) * 1000, UNKNOWN));
    }
    this.#options.onError?.(error);
  }
}

/** Name the session; `signature` is the website backend's word for it, or a function that asks. */
async function identify({ session, signature }) {
  session ??= crypto.randomUUID();
  const sessionSignature = await (typeof signature === "function" ? signature(session) : signature);
  return { sessionId: session, sessionSignature };
}

/** Ask until it is answered, hopeless, or out of time: one Idempotency-Key for all tries. */
async function call(path, body, { endpoint, timeout = 20_000, tries = 3, signal, fetch }) {
  const ends = Date.now() + timeout;
  const clock = AbortSignal.timeout(timeout);
  const request = {
    ...(body && posted(body)), // else a GET without headers: no preflight, and an ETag serves
    credentials: "omit",
    referrerPolicy: "no-referrer",
    signal: signal ? AbortSignal.any([signal, clock]) : clock,
  };
  const url = `${endpoint.replace(/\/$/, "")}/api/webchat/${path}`;
  for (let attempt = 1; ; attempt++) {
    try {
      return await once(url, request, fetch ?? globalThis.fetch);
    } catch (error) {
      const wait = pause(error, attempt);
      const hopeless = !WORTH_ANOTHER_TRY.includes(error.status) || request.signal.aborted;
      if (hopeless || attempt >= tries || Date.now() + wait > ends) throw error;
      await sleep(wait, request.signal);
    }
  }
}

function posted(body) {
  const headers = { "Content-Type": "application/json", "Idempotency-Key": crypto.randomUUID() };
  return { method: "POST", headers, body: JSON.stringify(body), cache: "no-store" };
}

async function once(url, request, fetch) {
  let response, text;
  try {
    response = await fetch(url, request);
    text = await response.text();
  } catch (cause) {
    throw unanswered(request.signal, cause);
  }
  const answer = parse(text);
  const served = Date.parse(response.headers.get("Date")) || undefined;
  if (response.ok && answer) return { ...answer, [SERVED]: served };
  const { code = "bad_answer", error = "The chat gave no usable answer." } = answer ?? {};
  const { requestId = response.headers.get("X-Request-ID"), fields } = answer ?? {};
  const retryAfter = seconds(response.headers.get("Retry-After"), served);
  throw new WebchatError(code, error, { status: response.status, requestId, retryAfter, fields });
}

/** The browser does not tell a page whether the network, or the origin rule, kept it out. */
function unanswered(signal, cause) {
  if (!signal.aborted) return new WebchatError("network", "The chat cannot be reached.", { cause });
  return signal.reason?.name === "TimeoutError"
    ? new WebchatError("timeout", "The chat did not answer in time.", { cause })
    : new WebchatError("aborted", "The chat was not started.", { cause });
}

/** Milliseconds since now, whatever is done to the clock. */
function stopwatch() {
  const [steady, wall] = [performance.now(), Date.now()];
  return () => Math.max(performance.now() - steady, Date.now() - wall);
}

function parse(text) {
  try {
    const value = JSON.parse(text);
    return typeof value === "object" ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Retry-After, in seconds or as a date (RFC 9110). */
function seconds(header, served = Date.now()) {
  if (header === null) return undefined;
  const value = /^\d+$/.test(header) ? +header : (Date.parse(header) - served) / 1000;
  return value >= 0 ? value : undefined;
}

/** Milliseconds until the next try, spread so that pages do not come back as one. */
function pause({ retryAfter }, attempt) {
  const least = retryAfter === undefined ? 250 * 2 ** attempt : retryAfter * 1000;
  return least + Math.random() * 250;
}

function sleep(milliseconds, signal) {
  return new Promise((wake) => {
    const timer = setTimeout(wake, milliseconds);
    signal.addEventListener("abort", () => (clearTimeout(timer), wake()), { once: true });
  });
}
