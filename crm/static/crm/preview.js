// Shows beside a mapping's form what it would send, as one types. Without script the button opens
// the same preview as a page.
"use strict";
{
  const button = document.getElementById("preview-button");
  const place = document.getElementById("preview");
  const form = button.form;
  let latest = 0;
  let waiting;

  async function show() {
    const mine = ++latest;
    const answer = await fetch(button.formAction, {
      method: "POST",
      body: new FormData(form),
      headers: { "X-Preview": "1" },
    });
    const part = await answer.text();
    if (answer.ok && mine === latest) place.innerHTML = part;
  }

  button.addEventListener("click", (event) => {
    event.preventDefault();
    show();
  });
  form.addEventListener("input", (event) => {
    // Looking a visitor up is recorded, so only the button does that.
    if (event.target.name === "preview_visitor" || form.preview_visitor.value) return;
    clearTimeout(waiting);
    waiting = setTimeout(show, 300);
  });
  show();
}
