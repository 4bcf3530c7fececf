"use strict";

const main = document.getElementById("api");
window.SwaggerUIBundle({ url: main.dataset.schema, domNode: main, deepLinking: true });
