"use strict";

// Swagger UI has a dark look of its own, which it leaves to the page to turn on.
const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
follow();
dark.addEventListener("change", follow);

// And what it leaves out for a screen reader: a name for its lists of examples, and one thing to
// press in the heading of an operation, where a link stands inside a button.
const main = document.getElementById("api");
const mend = () => {
  for (const list of main.querySelectorAll(".examples-select-element:not([aria-label])"))
    list.setAttribute("aria-label", "Example");
  for (const link of main.querySelectorAll(".opblock-summary-control a[href]"))
    link.removeAttribute("href");
};
new MutationObserver(mend).observe(main, { childList: true, subtree: true });

window.SwaggerUIBundle({ url: main.dataset.schema, domNode: main, deepLinking: true });
