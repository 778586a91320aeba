/** What a Stripe event means for follow-up. Types: docs.stripe.com/api/events/types. Pure. */
import { normaliseInstant } from "../../src/translate/normalise.ts";
import { type JsonRecord, recordOf, textOf } from "../body.ts";
import type { Kind } from "../kinds.ts";
import type { StripeEvent } from "./schema.ts";

export type StripeKind = { readonly kind: Kind } | { readonly skip: string };

const plain: Readonly<Record<string, Kind>> = {
  "customer.created": "identified",
  "customer.updated": "identified",
  "customer.deleted": "customer_deleted",
  "customer.subscription.trial_will_end": "trial_ending",
  "customer.subscription.paused": "subscription_changed",
  "customer.subscription.resumed": "subscription_changed",
  "checkout.session.completed": "checkout_completed",
  "checkout.session.async_payment_failed": "payment_failed",
  "checkout.session.expired": "checkout_abandoned",
  "invoice.paid": "invoice_paid",
  "invoice.payment_failed": "payment_failed",
  "invoice.upcoming": "renewal_upcoming",
  "quote.accepted": "quote_accepted",
  "charge.dispute.created": "dispute_opened",
};

export function kindOfEvent(event: StripeEvent): StripeKind {
  const kind = Object.hasOwn(plain, event.type) ? plain[event.type] : undefined;
  if (kind !== undefined) return { kind };
  switch (event.type) {
    case "customer.subscription.created":
      return created(event.data.object);
    case "customer.subscription.updated":
      return { kind: updated(event.data.object, recordOf(event.data.previous_attributes)) };
    case "customer.subscription.deleted":
      return { kind: endedInTrial(event.data.object) ? "trial_ended" : "subscription_cancelled" };
    case "invoice.payment_succeeded":
      return { skip: "Not relevant to follow-up: invoice.paid says the same." };
    case "checkout.session.async_payment_succeeded":
      return { skip: "Not relevant to follow-up: checkout.session.completed came before." };
    default:
      return { skip: "Not relevant to follow-up." };
  }
}

/** `incomplete`: the first payment has not come yet; an update to `active` follows when it does. */
function created(subscription: JsonRecord): StripeKind {
  const status = textOf(subscription.status);
  if (status === "trialing") return { kind: "trial_started" };
  if (status === "incomplete" || status === "incomplete_expired")
    return { skip: "The subscription waits for its first payment." };
  return { kind: "subscription_started" };
}

/** Only a change of status says more than "changed"; Stripe names what it was before. */
function updated(subscription: JsonRecord, before: JsonRecord): Kind {
  const was = textOf(before.status);
  const is = textOf(subscription.status);
  if (was === undefined || was === is) return "subscription_changed";
  if (is === "trialing") return "trial_started";
  if (is === "active" && (was === "trialing" || was === "incomplete")) return "subscription_started";
  if (was === "trialing") return "trial_ended";
  return "subscription_changed";
}

/** Nobody who leaves during the trial was ever a customer. An hour is for Stripe's own delay. */
function endedInTrial(subscription: JsonRecord): boolean {
  const trialEnd = normaliseInstant(subscription.trial_end);
  const ended = normaliseInstant(subscription.ended_at) ?? normaliseInstant(subscription.canceled_at);
  return trialEnd !== undefined && ended !== undefined && ended <= trialEnd + 3_600_000;
}
