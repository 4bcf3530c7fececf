// What can be made to go wrong: faults of the sandbox, and options a page would not choose.

// The call that makes a guest, on either platform.
const guests = (fault) => ["guests", "enrich"].map((endpoint) => ({ endpoint, ...fault }));
const FAULTS = {
  busy: guests({ kind: "status", status: 429, headers: { "Retry-After": "30" } }),
  down: guests({ kind: "status", status: 503 }),
  silent: guests({ kind: "hang" }),
  nonsense: guests({ kind: "garbage", shape: "html" }),
  refuses: guests({ kind: "status", status: 400 }),
  credentials: [{ endpoint: "oauth", kind: "status", status: 401 }],
};
const OPTIONS = {
  invalid: { session: "x".repeat(257) },
  impatient: { timeout: 1 },
};

/** Put the chosen trouble in place, and resolve to the options for `init` that go with it. */
export async function prepareTrouble(choice) {
  const { sandbox } = document.body.dataset;
  if (sandbox) {
    await control(sandbox, "faults", FAULTS[choice] ?? []);
    if (choice === "credentials") await control(sandbox, "revoke");
  }
  return OPTIONS[choice];
}

async function control(sandbox, name, body) {
  // Text, not JSON: the browser then asks no permission first, which the sandbox does not know.
  await fetch(`${sandbox}/_sandbox/${name}`, { method: "POST", body: JSON.stringify(body) });
}
