// What was sent and received, side by side, and what the sandbox saw of it.

let seen; // number of the sandbox's last call that is on the page

/** Add an exchange to the top of `list`. */
export function beginExchange(list, url, { method, headers, body }) {
  document.querySelector(".empty").hidden = true;
  const item = fill("exchange", {
    status: "…",
    address: `${method} ${new URL(url).pathname}`,
    sent: `Idempotency-Key: ${headers["Idempotency-Key"].slice(0, 8)}…\n\n${readable(body)}`,
  });
  item.started = performance.now();
  list.prepend(item);
  return item;
}

/** Note an exchange's answer; `status` 0 where there was none. */
export function endExchange(item, status, text) {
  mark(part(item, "status"), status);
  part(item, "time").textContent = `${Math.round(performance.now() - item.started)} ms`;
  part(item, "received").textContent = readable(text);
}

/** List the platform calls that are new since the last exchange. */
export async function showPlatformCalls(item, sandbox) {
  if (!sandbox) return;
  const calls = await callsSince(sandbox, seen ?? 0);
  if (!calls.length) part(item, "platform").append(fill("nothing", {}));
  for (const { number, method, path, status, body } of calls) {
    seen = number;
    const row = fill("call", { address: `${method} ${path}`, sent: readable(JSON.stringify(body)) });
    mark(part(row, "status"), status ?? 0);
    part(item, "platform").append(row);
  }
}

/** Leave out what other pages caused before this one was opened. */
export async function startFromNow(sandbox) {
  if (sandbox) seen = (await callsSince(sandbox, 0)).at(-1)?.number;
}

async function callsSince(sandbox, number) {
  const response = await fetch(`${sandbox}/_sandbox/calls?since=${number}`);
  return response.json();
}

function fill(template, texts) {
  const item = document.getElementById(template).content.firstElementChild.cloneNode(true);
  for (const [name, text] of Object.entries(texts)) part(item, name).textContent = text;
  return item;
}

function part(item, name) {
  return item.querySelector(`[data-part="${name}"]`);
}

function mark(element, status) {
  element.textContent = status || "no answer";
  element.classList.toggle("bad", status < 200 || status > 299);
}

/** JSON, indented, with tokens and long ids cut: this page may be on a screen that others see. */
function readable(text) {
  try {
    return JSON.stringify(JSON.parse(text), shorten, 2);
  } catch {
    return text.slice(0, 400);
  }
}

function shorten(name, value) {
  const secret = /token|secret/i.test(name) && typeof value === "string";
  if (secret) return `${value.slice(0, 12)}…`;
  return typeof value === "string" && value.length > 80 ? `${value.slice(0, 77)}…` : value;
}
