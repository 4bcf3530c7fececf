/** Load the vendor's Messenger, now that the visitor has decided, and tell it who this is. */
export function openMessenger(chat) {
  const { environment, deploymentId } = chat.messenger;
  window._genesysJs = "Genesys";
  window.Genesys ??= function () {
    (window.Genesys.q ??= []).push(arguments);
  };
  Object.assign(window.Genesys, { t: Date.now(), c: { environment, deploymentId } });
  const src = "https://apps.mypurecloud.de/genesys-bootstrap/genesys.min.js";
  document.head.append(Object.assign(document.createElement("script"), { src, async: true }));
  return chat.handToMessenger();
}
