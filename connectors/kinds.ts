/**
 * The words that policies are written in, and how vendors' and customers' event names lead to them. Pure.
 *
 * The vocabulary is open: a workspace may map an event to a kind of its own (`settings.kinds`), and its policy then says
 * what that means. These are the ones every connector and the default policy share.
 */
import { kindPattern } from "../src/limits.ts";
import type { EmitterSettings } from "./contract.ts";

export const kinds = {
  /* who somebody is */
  identified: "Somebody said who they are, or what is known about them changed.",
  account_identified: "A person was put into a company, team or workspace.",
  aliased: "Two names turned out to be one person's.",

  /* interest */
  page_viewed: "A page or screen was looked at.",
  pricing_viewed: "The pricing was looked at.",
  content_downloaded: "A guide, white paper or recording was taken.",
  webinar_registered: "Somebody signed up for a webinar or event.",
  chat_started: "Somebody began to talk to us in a chat.",
  form_submitted: "A form was sent, and nothing says that it asks for a conversation.",

  /* somebody asks for us */
  demo_requested: "Somebody asked for a demo.",
  contact_requested: "Somebody asked to be called, written to or quoted.",
  meeting_booked: "A meeting stands in the calendar.",

  /* the product */
  signed_up: "An account was created.",
  trial_started: "A trial began.",
  trial_ending: "A trial is about to end.",
  trial_ended: "A trial ended without becoming a subscription.",
  product_used: "Something was done in the product; `properties.event` says what. Also every event with no other kind.",
  invite_sent: "A colleague was invited.",
  usage_limit_reached: "A limit of the plan was reached.",

  /* money */
  checkout_completed: "A checkout was completed.",
  checkout_abandoned: "A checkout was begun and left.",
  subscription_started: "A paid subscription began, or a trial became one.",
  subscription_changed: "Plan, quantity or end of a subscription changed.",
  subscription_cancelled: "A paid subscription ended.",
  renewal_upcoming: "A renewal invoice is about to be made.",
  invoice_paid: "An invoice was paid.",
  payment_failed: "A payment failed.",
  quote_accepted: "A quote was accepted.",
  dispute_opened: "A payment is disputed.",

  /* what only this engine may say */
  marked_ready:
    "Another system says that somebody is ready for follow-up; heard as a signal, and reported to its owner.",

  /* what a CRM did with its own records */
  crm_records_merged: "Records of one person became one in the CRM; `properties.survivor` says which one stays.",
  crm_lead_converted: "A lead became a contact in the CRM.",

  /* these win over any follow-up (EMITTERS §5) */
  unsubscribed: "Somebody does not want to be written to.",
  customer_deleted: "The vendor's record of the person was deleted.",
  erasure_requested: "Somebody asked to be erased.",
} as const satisfies Readonly<Record<string, string>>;

export type Kind = keyof typeof kinds;

export function isKind(text: string): text is Kind {
  return Object.hasOwn(kinds, text);
}

/** Kinds after which nobody may be followed up until they say otherwise: connectors add `consent: {follow_up: false}`. */
export function forbidsFollowUp(kind: string): boolean {
  return kind === "unsubscribed" || kind === "customer_deleted" || kind === "erasure_requested";
}

/**
 * The kind of an event by its name. First the workspace's own `settings.kinds` (`{"<event or form id>": "<kind>"}`, exact,
 * then in any case), then the phrases below in any case, style and word order, and for dotted types
 * (`com.example.demo.requested`) also their ends; else `otherwise`.
 */
export function kindOf(event: string, settings: EmitterSettings, otherwise = "product_used"): string {
  return mappedKind(event, settings) ?? spokenKind(event) ?? otherwise;
}

/** What the workspace's settings say about this event or form, if anything. A value that is no kind is ignored. */
export function mappedKind(event: string, settings: EmitterSettings): string | undefined {
  const given = settings.kinds;
  if (typeof given !== "object" || given === null) return undefined;
  const exact = Object.hasOwn(given, event) ? given[event] : undefined;
  const found =
    exact ?? Object.entries(given).find(([name]) => name.trim().toLowerCase() === event.trim().toLowerCase())?.[1];
  return typeof found === "string" && kindPattern.test(found) ? found : undefined;
}

const eventLengthMax = 200;

/** What the name itself says. */
export function spokenKind(event: string): Kind | undefined {
  const name = event.slice(0, eventLengthMax);
  const whole = phrases.get(fold(name));
  if (whole !== undefined || !name.includes(".")) return whole;
  const parts = name.split(".");
  for (let from = 1; from < parts.length && from < 8; from++) {
    const ending = fold(parts.slice(from).join(" "));
    // One word ("page", "group") says too little to be believed at the end of a longer name.
    if (!ending.includes(" ")) break;
    const kind = phrases.get(ending);
    if (kind !== undefined) return kind;
  }
  return undefined;
}

/** "Requested a Demo", "demoRequest", "demo_requested" → "demo request": words in one form, in alphabetical order. */
function fold(name: string): string {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u);
  const said: string[] = [];
  for (const word of words) if (word !== "" && !silent.has(word)) said.push(forms.get(word) ?? word);
  return said.sort().join(" ");
}

const silent = new Set(
  "a an the to for of on in your my our has have was is been new event successfully successful".split(" "),
);

const forms = new Map<string, string>();
for (const line of [
  "request requested requests requesting",
  "book booked books booking schedule scheduled schedules",
  "submit submitted submits submission",
  "start started starts begin began begun starting activated activate",
  "end ended ends expire expired expires finished",
  "ending expiring",
  "create created creates creation",
  "update updated updates change changed changes",
  "view viewed views visit visited visits",
  "sign signed signs",
  "signup signups",
  "register registered registers registration",
  "send sent sends",
  "invite invited invites invitation",
  "cancel cancelled canceled cancels cancellation",
  "delete deleted deletes deletion",
  "complete completed completes completion",
  "abandon abandoned",
  "pay paid pays",
  "succeed succeeded succeeds",
  "fail failed fails failure",
  "accept accepted accepts",
  "open opened opens",
  "unsubscribe unsubscribed unsubscribes",
  "opt opted opts",
  "download downloaded downloads",
  "reach reached exceeded exceed hit",
  "add added adds",
  "upgrade upgraded upgrades",
  "downgrade downgraded downgrades",
  "identify identified identifies",
  "alias aliased",
  "use used uses usage",
  "identity identities",
  "erase erased erasure",
]) {
  const [form, ...others] = line.split(" ");
  for (const other of others) if (form !== undefined) forms.set(other, form);
}

const spoken: Readonly<Record<Kind, string>> = {
  identified:
    "identify, user identified, contact created, contact updated, lead created, customer created, customer updated, user updated, profile updated",
  account_identified: "group, company created, company updated, organization created, account updated, joined company",
  aliased: "alias",
  page_viewed: "page, page view, viewed page, pageview, screen viewed",
  pricing_viewed: "pricing viewed, viewed pricing page, pricing page, pricing page view",
  content_downloaded:
    "content downloaded, ebook downloaded, whitepaper downloaded, white paper downloaded, guide downloaded, resource downloaded",
  webinar_registered: "webinar registered, webinar registration, webinar signup, registered webinar",
  chat_started: "chat started, conversation started, conversation opened, conversation created, chat opened",
  form_submitted:
    "form submitted, form submission, form completed, form response, form filled, lead submitted, lead form submitted",
  demo_requested: `demo requested, demo request submitted, demo form submitted, demo booked, demo request form submitted, get demo, request demo form,
    product demo requested, live demo requested`,
  contact_requested: `contact requested, contact sales, contact sales requested, contact sales submitted, contact sales form submitted, sales contacted, contact us,
    contact form submitted, contact us form submitted, contact us submitted, talk sales, callback requested, call requested, call back requested, quote requested,
    pricing requested, request pricing, sales inquiry submitted`,
  meeting_booked: "meeting booked, call booked, meeting created, invitee created, appointment booked",
  signed_up: `signed up, sign up, signup, user signed up, user signup, account created, user created, user registered, registered, signup completed, sign up completed,
    registration completed, user account created`,
  trial_started:
    "trial started, free trial started, trial created, free trial created, start free trial, trial signup, trial sign up",
  trial_ending:
    "trial ending, trial will end, trial ending soon, trial about expire, trial expires soon, free trial ending",
  trial_ended: "trial ended, free trial ended",
  product_used: "product used, feature used",
  invite_sent:
    "invite sent, user invited, teammate invited, team member invited, member invited, invited colleague, colleague invited, invited user, invited",
  usage_limit_reached: "usage limit reached, limit reached, plan limit reached, quota reached, usage quota reached",
  checkout_completed: "checkout completed, order completed, purchase completed",
  checkout_abandoned: "checkout abandoned, cart abandoned, checkout expired",
  subscription_started: "subscription started, subscription created, trial converted, plan purchased, plan started",
  subscription_changed: `subscription changed, subscription updated, plan changed, plan upgraded, plan downgraded, subscription upgraded, subscription downgraded,
    account upgraded, account downgraded`,
  subscription_cancelled:
    "subscription cancelled, subscription deleted, subscription ended, plan cancelled, account cancelled, churned",
  renewal_upcoming: "renewal upcoming, upcoming renewal, invoice upcoming",
  invoice_paid: "invoice paid, payment succeeded, invoice payment succeeded, payment received",
  payment_failed: "payment failed, invoice payment failed, charge failed, card declined",
  quote_accepted: "quote accepted, proposal accepted",
  dispute_opened: "dispute opened, dispute created, charge dispute created",
  marked_ready: `marked ready, marked as ready for follow up, ready for follow up, lead qualified, marketing qualified lead, sales qualified lead, mql, sql,
    lead became mql, lead became sql, lifecycle stage mql, lifecycle stage sql`,
  // Nothing but the kinds themselves: whoever says these words is believed beyond the limits on a person's ids.
  crm_records_merged: "crm records merged",
  crm_lead_converted: "crm lead converted",
  unsubscribed:
    "unsubscribed, user unsubscribed, contact unsubscribed, email unsubscribed, opted out, email opted out, marketing opted out",
  customer_deleted: "customer deleted, user deleted, contact deleted, lead deleted, account deleted",
  erasure_requested:
    "erasure requested, data deletion requested, gdpr deletion requested, privacy deletion, contact privacy deletion",
};

const phrases = new Map<string, Kind>();
for (const kind of Object.keys(kinds) as Kind[]) {
  for (const phrase of [kind, ...spoken[kind].split(",")]) {
    const said = fold(phrase);
    // Two kinds claiming one phrase is a mistake in the lists above; found when the module loads, so by every test.
    if ((phrases.get(said) ?? kind) !== kind) throw new Error(`"${said}" stands for two kinds`);
    phrases.set(said, kind);
  }
}
