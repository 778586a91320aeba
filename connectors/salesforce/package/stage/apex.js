/**
 * Stands in for Salesforce's server: the two methods of `BatonCardController`, in the browser. Where a real org sends the
 * query and adds the key by its named credential, this page is told all of them by whoever opens it (`window.stage`):
 *
 *   { engine, key, org, user, object, record }   and for an account { name, domain } as well
 *
 * `engine` may be empty: then it is the origin of the page itself, which asks no questions of cross-origin.
 *
 * It judges answers as `BatonAnswer.cls` does, and knows them by the same names. The tests of Apex have the original.
 */
export async function readCard({ recordId }) {
  return ask("GET", "record", recordId);
}

export async function pressButton({ recordId, press }) {
  return ask("POST", "press", recordId, press);
}

const later = "Baton does not answer just now. Please try again.";

/** Where the answer has no `detail`. */
const sentences = {
  401: "Baton does not accept the key of this org. An admin can enter it anew on the external credential.",
  403: "You may not do this in Baton.",
  404: "Baton does not know this org yet. An admin can connect it.",
  408: later,
  409: "This is not possible any more. Please look at the card again.",
  429: "That was too much at once. Please try again in a minute.",
};

const passing = [408, 429];
const waitMs = 20_000;

async function ask(method, name, record, body) {
  const { engine = "", key, org, user, object, name: company, domain } = window.stage;
  const known = Object.entries({ org, user, object, record, name: company, domain });
  const query = new URLSearchParams(known.filter(([, value]) => value !== undefined));
  try {
    const response = await fetch(`${engine}/card/salesforce/${name}?${query}`, {
      method,
      body,
      headers: {
        authorization: `Bearer ${key}`,
        accept: "application/json",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      signal: AbortSignal.timeout(waitMs),
    });
    return judge(response.status, await response.text());
  } catch {
    return refusal(0, "no_answer", later, true);
  }
}

function judge(status, text) {
  const body = objectOf(text);
  if (status >= 200 && status < 300) {
    return body === null
      ? refusal(status, "unreadable", "The answer could not be read. Please try again.", true)
      : { ok: true, status, code: "ok", detail: "", again: false, document: text };
  }
  const code = body?.code ?? `http_${status}`;
  const detail = body?.detail ?? sentences[status] ?? (status >= 500 ? later : "Baton does not take this.");
  const again = passing.includes(status) || status >= 500 || (status === 409 && code === "busy");
  return refusal(status, code, detail, again);
}

function refusal(status, code, detail, again) {
  return { ok: false, status, code, detail, again, document: null };
}

function objectOf(text) {
  try {
    const value = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}
