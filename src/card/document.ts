/**
 * What the card on a CRM record shows and what its buttons say: one document for HubSpot's and Salesforce's card alike. The
 * front ends render it as it is and hold no rules of their own; so words, order and what is allowed are decided here. Pure.
 *
 * Instants are ISO 8601. Texts are plain, for people, and end without a line break.
 */
import * as z from "zod";

const instant = z.iso.datetime({ offset: true });
const person = z.strictObject({
  /** Name of the lead in Baton. */
  lead: z.string(),
  name: z.string(),
  email: z.string().nullable(),
  job_title: z.string().nullable(),
  /** The person's record in this CRM, where Baton knows it. */
  record_url: z.url().nullable(),
});

/** The clock of a promise; `left_ms` is on the policy's clock (wall or business time) and negative once broken. */
const sla = z.strictObject({ state: z.enum(["running", "met", "breached"]), due_at: instant, left_ms: z.number() });

const followUp = z.strictObject({
  id: z.string(),
  /** What is to be done, in the policy's words for the play. */
  title: z.string(),
  state: z.enum(["open", "done", "cancelled", "parked"]),
  holder: z.string(),
  priority: z.enum(["low", "medium", "high"]),
  due_at: instant,
  sla: sla.nullable(),
  reasons: z.array(z.string()),
});

/** One line of the timeline: a signal of any tool, a decision that led to something, or what became of a follow-up. */
const moment = z.strictObject({
  id: z.string(),
  at: instant,
  what: z.string(),
  /** Name of the emitter, `baton`, or the e-mail address of whoever did it. */
  source: z.string(),
});

/** Somebody who may be the same person. Answering it is `merge` or `keep_apart` with `lead` of this entry. */
const duplicate = person.extend({ because: z.string(), exception: z.string() });

/** Somebody at the same company. */
const related = person.extend({ score: z.number(), open_follow_up: z.boolean() });

export const choices = [
  "claim",
  "reached",
  "no_answer",
  "replied",
  "converted",
  "snooze",
  "not_a_fit",
  "wrong_person",
  "hand_over",
  "merge",
  "keep_apart",
  "split",
] as const;
export type Choice = (typeof choices)[number];

/** A button. One that is not possible now is shown with the reason, so that nobody looks for it. */
const button = z.strictObject({
  choice: z.enum(choices),
  label: z.string(),
  /** What is to be asked before it is sent. */
  needs: z.enum(["nothing", "until", "colleague", "duplicate", "link", "reason"]),
  possible: z.boolean(),
  why_not: z.string().nullable(),
});

export const cardShape = z.discriminatedUnion("state", [
  z.strictObject({
    state: z.literal("ready"),
    lead: person.extend({ company: z.string().nullable(), lifecycle_state: z.string() }),
    why: z.strictObject({
      /** One sentence: why this person, why now. */
      headline: z.string(),
      score: z.strictObject({ total: z.number(), fit: z.number(), intent: z.number() }),
      level: z.enum(["none", "watch", "card", "task", "urgent"]),
      /** Most points first; they add up to the total, but for the bounds of the policy. */
      points: z.array(z.strictObject({ text: z.string(), points: z.number(), at: instant.nullable() })),
    }),
    /** The open one; else the latest that was, so that a seller sees what came of it; null where there was none. */
    follow_up: followUp.nullable(),
    /** Newest first. */
    timeline: z.array(moment).max(50),
    /** How many more there are than the timeline shows. */
    earlier: z.number().int(),
    duplicates: z.array(duplicate),
    related: z.array(related).max(10),
    buttons: z.array(button),
    /** Whom a follow-up can be handed to. */
    colleagues: z.array(z.strictObject({ email: z.string(), name: z.string() })),
    /** Joins that can be undone with `split`. */
    links: z.array(z.strictObject({ id: z.string(), what: z.string(), at: instant })),
    viewer: z.email(),
    made_at: instant,
  }),
  /** No tool has said anything of this record yet: nothing is wrong. */
  z.strictObject({ state: z.literal("empty"), text: z.string(), viewer: z.email(), made_at: instant }),
]);
export type Card = z.infer<typeof cardShape>;
export type ReadyCard = Extract<Card, { state: "ready" }>;

/**
 * What a button sends. `request` is made by the card once per press and stays when the same press is sent again, by the CRM
 * (HubSpot repeats a call on a broken connection, CRM-FACTS §1.9) or by an impatient hand: the answer is then the same.
 */
export const pressShape = z.strictObject({
  request: z.string().min(8).max(100),
  lead: z.string().min(1).max(200),
  /** The follow-up that the card showed; absent for `merge`, `keep_apart` and `split`. */
  follow_up: z.string().min(1).max(200).optional(),
  choice: z.enum(choices),
  /** Of `snooze`. */
  until: instant.optional(),
  /** Of `hand_over`: e-mail address of a colleague. */
  to: z.email().max(320).optional(),
  /** Of `merge` and `keep_apart`: `lead` of the duplicate. */
  with: z.string().min(1).max(200).optional(),
  /** Of `split`: id of the link. */
  link: z.string().min(1).max(100).optional(),
  /** Of `not_a_fit` and `wrong_person`: in the seller's own words, if they gave any. */
  reason: z.string().min(1).max(500).optional(),
});
export type Press = z.infer<typeof pressShape>;

/** Answer to a press: what was done, in a sentence, and the card as it is now. */
export const pressedShape = z.strictObject({ status: z.enum(["ok", "under_way"]), text: z.string(), card: cardShape });
export type Pressed = z.infer<typeof pressedShape>;

/*
 * The door, the same for both CRMs:
 *   GET  /card/<crm>/record?…     → Card
 *   POST /card/<crm>/press?…      Press → Pressed
 * HubSpot: signed v3 over address, body and time; `userId portalId userEmail appId` are added by HubSpot to the query; we add
 * `objectTypeId` and `objectId` of the record. Salesforce: `Authorization: Bearer <card key of the connection>` from the
 * customer's Named Credential; the query names `org`, `user` (e-mail address), `object` (Lead, Contact, Account) and `record`.
 * Refusals are problem+json: 401 unproven, 403 `not_a_colleague` (the viewer is no user of the CRM account or the policy does not
 * let them act), 404 `not_connected`, 409 `not_possible` or `busy`, 422 bad input, 429, 503. Each has a `detail` that may be shown.
 */
