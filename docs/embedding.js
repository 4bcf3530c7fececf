import { init } from "https://chat.example.com/static/guestportal/webchat-1.2.0.js";

const [accept, decline, withdraw] = document.querySelectorAll("#chat button");
const show = (text) => (document.querySelector("#chat-status").textContent = text);
const showError = (error) => show(error.message);

async function start(consent) {
  const notice = { noticeVersion: "2026-11", language: "en" };
  const chat = await init({ endpoint: "https://chat.example.com", consent, ...notice, onToken });
  withdraw.onclick = () => chat.withdraw().then(() => show("You have withdrawn your consent."), showError);
  show(`You are connected as ${chat.crmAttributes.firstName}.`);
}
accept.onclick = () => start(true).catch(showError);
decline.onclick = () => start(false).catch(showError);

function onToken(accessToken, expiresAt) {
  // Hand the token to your messaging SDK here; it comes again, renewed, before expiresAt.
}
