"use strict";

// Swagger UI has a dark look of its own, which it leaves to the page to turn on.
const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
follow();
dark.addEventListener("change", follow);

const main = document.getElementById("api");
window.SwaggerUIBundle({ url: main.dataset.schema, domNode: main, deepLinking: true });
