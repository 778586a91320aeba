/**
 * What a button sends. A press keeps its `request` until Baton has given it a definite answer, so that the same press sent
 * again, by an impatient hand or after an answer that was lost, is the same one to Baton.
 */

/** Which member of a press carries what a button needs. `nothing` needs none. */
const memberOf = { until: "until", colleague: "to", duplicate: "with", link: "link", reason: "reason" };

/** Joining, keeping apart and parting are about people and not about a follow-up. */
const aboutPeople = ["duplicate", "link"];

/** `given` is what was asked for; an empty text is as good as none. */
export function pressOf(card, button, given) {
  const press = { lead: card.lead.lead, choice: button.choice };
  if (card.follow_up && !aboutPeople.includes(button.needs)) {
    press.follow_up = card.follow_up.id;
  }
  const member = memberOf[button.needs];
  const value = typeof given === "string" ? given.trim() : "";
  if (member && value !== "") {
    press[member] = value;
  }
  return press;
}

/**
 * Milliseconds for which a press without an answer stays the same one. Whoever says "no answer" again an hour later has called
 * again, and that is another one.
 */
const sameMs = 10 * 60_000;

export class Presses {
  requests = new Map();

  /** The press with its `request`: a new one, unless the very same press is still without a definite answer. */
  open(press, now = Date.now()) {
    const key = JSON.stringify(press);
    const known = this.requests.get(key);
    const opened = known && now - known.at < sameMs ? known : { request: newRequest(), at: now };
    this.requests.set(key, opened);
    return { request: opened.request, ...press };
  }

  /** Baton has answered for good: pressing the same once more is another press. */
  settle({ request }) {
    for (const [key, known] of this.requests) {
      if (known.request === request) {
        this.requests.delete(key);
      }
    }
  }
}

/** 128 random bits. */
function newRequest() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `press-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
