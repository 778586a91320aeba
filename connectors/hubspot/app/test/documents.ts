/** A card as Baton makes it, and the answers of a door that a test holds in its hand. People are of example.com only. */

import type { Card, Press, Pressed, ReadyCard } from "../src/app/cards/document.ts";
import type { Answer, Door, Problem } from "../src/app/cards/door.ts";

export const madeAt = "2026-11-03T10:00:00.000Z";

type Button = ReadyCard["buttons"][number];

export const buttons: readonly Button[] = [
  { choice: "claim", label: "I take it", needs: "nothing", possible: true, why_not: null },
  { choice: "reached", label: "Reached", needs: "nothing", possible: true, why_not: null },
  { choice: "no_answer", label: "No answer", needs: "nothing", possible: true, why_not: null },
  { choice: "replied", label: "They replied", needs: "nothing", possible: true, why_not: null },
  { choice: "converted", label: "Converted", needs: "nothing", possible: true, why_not: null },
  { choice: "snooze", label: "Later", needs: "until", possible: true, why_not: null },
  { choice: "not_a_fit", label: "Not a fit", needs: "reason", possible: true, why_not: null },
  { choice: "wrong_person", label: "Wrong person", needs: "reason", possible: true, why_not: null },
  { choice: "hand_over", label: "Hand over", needs: "colleague", possible: true, why_not: null },
  { choice: "merge", label: "Same person", needs: "duplicate", possible: true, why_not: null },
  { choice: "keep_apart", label: "Not the same person", needs: "duplicate", possible: true, why_not: null },
  { choice: "split", label: "Undo a join", needs: "link", possible: true, why_not: null },
];

export function readyCard(changes: Partial<ReadyCard> = {}): ReadyCard {
  return {
    state: "ready",
    lead: {
      lead: "ld_kim",
      name: "Kim Example",
      email: "kim@example.com",
      job_title: "Head of Operations",
      record_url: "https://app.example.com/contacts/1/record/0-1/151",
      company: "Example Ltd",
      lifecycle_state: "engaged",
    },
    why: {
      headline: "Kim asked for a demo after three visits to the pricing.",
      score: { total: 72, fit: 20, intent: 52 },
      level: "urgent",
      points: [
        { text: "Asked for a demo", points: 40, at: "2026-11-03T09:58:00.000Z" },
        { text: "Head of Operations", points: 20, at: null },
        { text: "Looked at the pricing three times", points: 17, at: "2026-11-02T15:00:00.000Z" },
        { text: "Uses a free e-mail address", points: -5, at: null },
      ],
    },
    follow_up: {
      id: "fu_1",
      title: "Call about the demo",
      state: "open",
      holder: "sam@example.com",
      priority: "high",
      due_at: "2026-11-03T10:05:00.000Z",
      sla: { state: "running", due_at: "2026-11-03T10:05:00.000Z", left_ms: 300_000 },
      reasons: ["Asked for a demo", "Speed to lead"],
    },
    timeline: [
      { id: "m2", at: "2026-11-03T09:58:00.000Z", what: "Asked for a demo", source: "website form" },
      { id: "m1", at: "2026-11-02T15:00:00.000Z", what: "Looked at the pricing", source: "product" },
    ],
    earlier: 4,
    duplicates: [
      {
        lead: "ld_k2",
        name: "K. Example",
        email: "k.example@example.com",
        job_title: null,
        record_url: null,
        because: "same phone number",
        exception: "ex_1",
      },
    ],
    related: [
      {
        lead: "ld_lee",
        name: "Lee Example",
        email: "lee@example.com",
        job_title: "CTO",
        record_url: "https://app.example.com/contacts/1/record/0-1/152",
        score: 31,
        open_follow_up: true,
      },
    ],
    buttons,
    colleagues: [
      { email: "sam@example.com", name: "Sam" },
      { email: "alex@example.com", name: "Alex" },
    ],
    links: [{ id: "ln_1", what: "Kim Example and kim@old.example.com", at: "2026-10-30T12:00:00.000Z" }],
    viewer: "sam@example.com",
    made_at: madeAt,
    ...changes,
  };
}

export const emptyCard: Card = {
  state: "empty",
  text: "No tool has said anything of this contact yet.",
  viewer: "sam@example.com",
  made_at: madeAt,
};

export function ok<Value>(value: Value): Answer<Value> {
  return { ok: true, value };
}

export function refusal(kind: Problem["kind"], detail: string): { readonly ok: false; readonly problem: Problem } {
  return { ok: false, problem: { kind, detail } };
}

export function pressed(text: string, changes: Partial<Pressed> = {}): Answer<Pressed> {
  return ok({ status: "ok", text, card: readyCard({ made_at: "2026-11-03T10:00:10.000Z" }), ...changes });
}

/** Records what it was asked, and gives the answers in turn; one that was not prepared never comes. */
export class RecordingDoor implements Door {
  readonly presses: Press[] = [];
  reads = 0;
  readonly #reads: Answer<Card>[];
  readonly #presses: Answer<Pressed>[];

  constructor(reads: Answer<Card>[], presses: Answer<Pressed>[] = []) {
    this.#reads = [...reads];
    this.#presses = [...presses];
  }

  read(): Promise<Answer<Card>> {
    this.reads += 1;
    return given(this.#reads.shift());
  }

  press(press: Press): Promise<Answer<Pressed>> {
    this.presses.push(press);
    return given(this.#presses.shift());
  }
}

function given<Value>(answer: Answer<Value> | undefined): Promise<Answer<Value>> {
  return answer === undefined ? new Promise(() => {}) : Promise.resolve(answer);
}
