/** Open the visitor's session on a socket; return what sends a text. `onMessage` gets each answer. */
export function openSocket(chat, onMessage) {
  const socket = new WebSocket(chat.messenger.socketUrl);
  socket.addEventListener("message", ({ data }) => onMessage(JSON.parse(data)));
  chat.handToSocket(socket);
  const channel = { metadata: { customAttributes: chat.messenger.customAttributes } };
  return (text) => {
    const message = { type: "Text", text, channel };
    socket.send(JSON.stringify({ action: "onMessage", token: chat.accessToken, message }));
  };
}
