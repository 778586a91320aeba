/** One Stripe event → one draft, or a reason why it leads to none. Pure. */
import { fail, ok, quarantined, type Result } from "../../src/failure.ts";
import type { Consent, Identifier } from "../../src/model.ts";
import { normaliseInstant } from "../../src/translate/normalise.ts";
import { firstText, isRecord, type JsonRecord, parseObject, recordOf, textOf } from "../body.ts";
import type { Delivery, EmitterSettings, Translation } from "../contract.ts";
import { accountOf, draftOf, identifier, one, skip } from "../draft.ts";
import { mappedKind } from "../kinds.ts";
import { kindOfEvent } from "./kind.ts";
import { eventSchema, type StripeEvent } from "./schema.ts";

export function translate(delivery: Delivery, settings: EmitterSettings): Result<Translation> {
  const body = parseObject(delivery.body);
  if (!body.ok) return body;
  const parsed = eventSchema.safeParse(body.value);
  if (!parsed.success)
    return fail(quarantined("unknown_shape", "Expected a Stripe event with id, type, created and data.object."));
  const event = parsed.data;
  const mapped = mappedKind(event.type, settings);
  const kind = mapped === undefined ? kindOfEvent(event) : { kind: mapped };
  if ("skip" in kind) return ok(skip(kind.skip));

  const object = event.data.object;
  const draft = draftOf({
    id: event.id,
    kind: kind.kind,
    occurredAt: normaliseInstant(event.created),
    identifiers: identifiersOf(object, settings),
    traits: traitsOf(object),
    account: accountOf(businessName(object), undefined),
    consent: consentOf(object),
    properties: propertiesOf(event, object),
  });
  if (draft.identifiers.length > 0) return ok(one(draft));
  return fail(quarantined("names_nobody", "The event names neither a customer nor an e-mail address."));
}

/* ---------------------------------------------------------------------------------------------------- person */

function identifiersOf(object: JsonRecord, settings: EmitterSettings): (Identifier | undefined)[] {
  const customer = customerOf(object);
  const details = recordOf(object.customer_details);
  const metadata = { ...recordOf(customer.metadata), ...recordOf(object.metadata) };
  const reference = referenceType(settings);
  return [
    identifier(
      "stripe_customer_id",
      customer.deleted === true ? textOf(customer.id) : (textOf(customer.id) ?? textOf(object.customer)),
    ),
    identifier("user_id", firstText(metadata, textOf(settings.user_id_key) ?? "user_id")),
    identifier(
      "email",
      firstText(customer, "email") ??
        firstText(details, "email") ??
        firstText(object, "customer_email", "receipt_email") ??
        firstText(recordOf(object.billing_details), "email") ??
        firstText(recordOf(object.evidence), "customer_email_address"),
    ),
    identifier(
      "phone",
      firstText(customer, "phone") ?? firstText(details, "phone") ?? firstText(object, "customer_phone"),
    ),
    reference === undefined ? undefined : identifier(reference, firstText(object, "client_reference_id")),
  ];
}

/**
 * `client_reference_id` is whatever the site put there: a visitor, a user, a cart (docs.stripe.com/api/checkout/sessions).
 * It ties a payment back to a visitor, so by default it is the weakest kind of name, `anonymous_id`: a cart id believed to
 * be a user id would be a strong name that nobody can take back.
 */
function referenceType(settings: EmitterSettings): string | undefined {
  const given = textOf(settings.client_reference);
  if (given === "none") return undefined;
  return given === "user_id" ? "user_id" : "anonymous_id";
}

/** The customer is the object itself, an expanded object inside it, or (mostly) only an id. */
function customerOf(object: JsonRecord): JsonRecord {
  if (object.object === "customer") return object;
  return isRecord(object.customer) ? object.customer : {};
}

function traitsOf(object: JsonRecord): Record<string, string> {
  const customer = customerOf(object);
  const details = recordOf(object.customer_details);
  const name =
    firstText(customer, "individual_name", "name") ??
    firstText(details, "individual_name", "name") ??
    firstText(object, "customer_name");
  const address = [customer.address, details.address, object.customer_address].map(recordOf);
  const country = address.map((place) => firstText(place, "country")).find((place) => place !== undefined);
  return { ...(name === undefined ? {} : { name }), ...(country === undefined ? {} : { country }) };
}

function businessName(object: JsonRecord): string | undefined {
  return (
    firstText(customerOf(object), "business_name") ?? firstText(recordOf(object.customer_details), "business_name")
  );
}

/** Only Checkout asks for it, and only for messages: docs.stripe.com/payments/checkout/promotional-emails-consent. */
function consentOf(object: JsonRecord): Consent | undefined {
  const promotions = recordOf(object.consent).promotions;
  if (promotions === "opt_out") return { follow_up: false };
  return promotions === "opt_in" ? { follow_up: true } : undefined;
}

/* ------------------------------------------------------------------------------------------------ properties */

const copied = [
  ...[
    "status",
    "currency",
    "amount",
    "amount_total",
    "amount_due",
    "amount_paid",
    "amount_remaining",
    "attempt_count",
    "billing_reason",
  ],
  ...["cancel_at_period_end", "mode", "payment_status", "reason", "number", "subscription"],
] as const;

const instants = [
  "trial_end",
  "current_period_end",
  "cancel_at",
  "canceled_at",
  "ended_at",
  "next_payment_attempt",
  "due_date",
] as const;

function propertiesOf(event: StripeEvent, object: JsonRecord): Record<string, unknown> {
  const properties: Record<string, unknown> = {
    event: event.type,
    livemode: event.livemode ?? object.livemode ?? false,
  };
  const id = textOf(object.id);
  if (id !== undefined) properties.object_id = id;
  for (const name of copied) {
    const value = object[name];
    if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") properties[name] = value;
  }
  for (const name of instants) {
    const instant = normaliseInstant(object[name]);
    if (instant !== undefined) properties[name] = new Date(instant).toISOString();
  }
  const plan = planOf(object);
  if (plan !== undefined) properties.plan = plan;
  const before = textOf(recordOf(event.data.previous_attributes).status);
  if (before !== undefined) properties.previous_status = before;
  return properties;
}

/** First item's nickname, lookup key or price id: a person reads it. */
function planOf(object: JsonRecord): string | undefined {
  const items = recordOf(object.items).data;
  const item = recordOf(Array.isArray(items) ? items[0] : undefined);
  const price = isRecord(item.price) ? item.price : recordOf(item.plan);
  return firstText(price, "nickname", "lookup_key", "id");
}
