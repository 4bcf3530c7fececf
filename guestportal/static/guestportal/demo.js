// The demo chat page. What a page of yours would do is in `start` and `withdraw`; the rest shows it.

import { init, notice } from "./webchat-1.2.0.js";
import { beginExchange, endExchange, showPlatformCalls, startFromNow } from "./demo-wire.js";
import { prepareTrouble } from "./demo-trouble.js";

const chatBox = document.getElementById("chat");
const exchanges = document.getElementById("exchanges");

let chat;
let abort;
let shown; // the notice that the visitor reads

async function ask() {
  try {
    shown = await notice({ endpoint: location.origin });
    chatBox.querySelector('[data-show="notice"]').innerText = shown.text;
    setText("version", `Notice ${shown.version} · ${shown.language}`);
    for (const button of document.querySelectorAll("[data-act=accept], [data-act=decline]")) {
      button.disabled = false;
    }
  } catch (error) {
    showError(error);
  }
}

async function start(consent) {
  abort = new AbortController();
  show("busy");
  try {
    const session = document.forms.setup.elements.visitor.value || undefined;
    chat = await init({
      endpoint: location.origin,
      session,
      consent,
      noticeVersion: shown.version,
      language: shown.language,
      signal: abort.signal,
      fetch: watchedFetch,
      onToken: (token, expiresAt) => setText("expires", new Date(expiresAt).toLocaleString()),
      onError: showError,
      ...(await prepareTrouble(document.getElementById("trouble").value)),
    });
    setText("name", chat.crmAttributes.firstName ?? "visitor");
    setText("guest", chat.guestId);
    setText("email", chat.crmAttributes.email ?? "not shown");
    showMessenger(chat.messenger);
    show("ready");
  } catch (error) {
    showError(error);
  }
}

/** What `chat.handToMessenger()` would hand over; there is no Messenger on this page. */
function showMessenger(messenger) {
  for (const row of chatBox.querySelectorAll("[data-messenger]")) row.hidden = !messenger;
  if (!messenger) return;
  const { guestportal_guest_id: guest, guestportal_consent: consent } = messenger.customAttributes;
  setText("attributes", `consent ${consent}, guest ${guest}`);
}

async function withdraw() {
  try {
    const count = await chat.withdraw();
    setText("count", count === 1 ? "One guest was withdrawn." : `${count} guests were withdrawn.`);
    show("withdrawn");
  } catch (error) {
    showError(error);
  }
}

function showError(error) {
  setText("sentence", error.message);
  setText("code", error.code ?? error.name);
  setText("later", error.retryAfter ? ` · try again in ${Math.ceil(error.retryAfter)} s` : "");
  show("error");
}

function startOver() {
  chat?.close();
  show("notice");
  if (!shown) ask();
}

/** Note each request and its answer on the way. */
async function watchedFetch(url, request) {
  const exchange = beginExchange(exchanges, url, request);
  try {
    const response = await fetch(url, request);
    endExchange(exchange, response.status, await response.clone().text());
    return response;
  } catch (error) {
    endExchange(exchange, 0, `no answer: ${error.message}`);
    throw error;
  } finally {
    showPlatformCalls(exchange, document.body.dataset.sandbox);
  }
}

function show(state) {
  for (const panel of chatBox.querySelectorAll("[data-state]")) {
    panel.hidden = panel.dataset.state !== state;
    if (panel.hidden) continue;
    const heading = panel.querySelector("h3");
    document.getElementById("status").textContent = heading.textContent;
    if (state !== "notice" || chat) heading.focus({ preventScroll: true });
  }
}

function setText(name, text) {
  chatBox.querySelector(`[data-show="${name}"]`).textContent = text;
}

const actions = {
  accept: () => start(true),
  decline: () => start(false),
  cancel: () => abort.abort(),
  withdraw,
  startOver,
};

chatBox.addEventListener("click", ({ target }) => actions[target.dataset.act]?.());

startFromNow(document.body.dataset.sandbox);
ask();
