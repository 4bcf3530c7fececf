import { init } from "https://chat.example.com/static/guestportal/webchat-1.0.0.js";

const [accept, decline, withdraw] = document.querySelectorAll("#chat button");
const say = (text) => (document.querySelector("#chat-status").textContent = text);
const sorry = (error) => say(error.message);

async function start(consent) {
  const notice = { noticeVersion: "2026-11", language: "en" };
  const chat = await init({ endpoint: "https://chat.example.com", consent, ...notice, onToken });
  withdraw.onclick = () => chat.withdraw().then(() => say("You have withdrawn your consent."), sorry);
  say(`You are connected as ${chat.crmAttributes.firstName}.`);
}
accept.onclick = () => start(true).catch(sorry);
decline.onclick = () => start(false).catch(sorry);

function onToken(accessToken, expiresAt) {
  // Hand the token to your messaging SDK here; it comes again, renewed, before expiresAt.
}
