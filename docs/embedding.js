import { init, notice } from "https://chat.example.com/static/guestportal/webchat-1.2.0.js";

const endpoint = "https://chat.example.com";
const [accept, decline, withdraw] = document.querySelectorAll("#chat button");
const show = (text) => (document.querySelector("#chat-status").textContent = text);
const showError = (error) => show(error.message);

async function ask() {
  const shown = await notice({ endpoint });
  document.querySelector("#chat-notice").innerText = shown.text;
  const said = { noticeVersion: shown.version, language: shown.language };
  accept.onclick = () => start({ consent: true, ...said }).catch(showError);
  decline.onclick = () => start({ consent: false, ...said }).catch(showError);
  accept.disabled = decline.disabled = false;
}

async function start(decision) {
  const chat = await init({ endpoint, ...decision, onToken });
  withdraw.onclick = () => chat.withdraw().then(() => show("You have withdrawn your consent."), showError);
  show(`You are connected as ${chat.crmAttributes.firstName}.`);
}

function onToken(accessToken, expiresAt) {
  // Hand the token to your messaging SDK here; it comes again, renewed, before expiresAt.
}

ask().catch(showError);
