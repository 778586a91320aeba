/**
 * Draft → signal: what a connector made of an event becomes a canonical, normalised, bounded fact. Pure: the arrival time is
 * an argument and the id comes from the event or its content, never from chance.
 */
import type { SignalDraft } from "../../connectors/contract.ts";
import { canonicalJson, digest } from "../crypto.ts";
import type { IdentityPolicy } from "../decide/identity-policy.ts";
import { fail, ok, quarantined, type Result } from "../failure.ts";
import { clockAheadMaxMs, kindPattern, propertiesBytesMax, traitLengthMax, traitsMax } from "../limits.ts";
import type { AccountRef, Attribution, JsonObject, Signal } from "../model.ts";
import { named } from "./identifiers.ts";
import { normaliseDomain, normaliseEmail, normalisePhone } from "./normalise.ts";

export interface Origin {
  readonly workspace: string;
  /** Name of the emitter inside the workspace. */
  readonly emitter: string;
  /** Epoch ms. */
  readonly receivedAt: number;
}

/**
 * `identity` says which identifiers count. Fails with `quarantined` only: whatever reaches this point was verified, so it is
 * kept where a person sees it rather than refused (EMITTERS §1).
 */
export function toSignal(draft: SignalDraft, origin: Origin, identity: IdentityPolicy): Result<Signal> {
  if (!kindPattern.test(draft.kind))
    return fail(quarantined("bad_kind", "The kind is not a word like demo_requested."));
  const told = canonicalTraits(draft.traits ?? {});
  const { identifiers, address, refusal } = named(draft.identifiers, told.email, identity);
  if (identifiers.length === 0) return fail(quarantined("no_identifier", refusal));
  const traits = address === undefined ? told : { ...told, email: address };

  const properties = { ...(draft.properties ?? {}) };
  // Everything else is bounded where it is made canonical.
  if (JSON.stringify(properties).length > propertiesBytesMax) {
    return fail(
      quarantined("too_large", `The properties of one event may be ${propertiesBytesMax} characters of JSON.`),
    );
  }
  const occurredAt = believableInstant(draft.occurredAt, origin.receivedAt);
  if (draft.occurredAt !== undefined && occurredAt !== Math.round(draft.occurredAt))
    properties.clock_off_ms = draft.occurredAt - origin.receivedAt;
  const id = draft.id !== undefined && draft.id !== "" ? shortId(draft.id) : `content:${digest(canonicalJson(draft))}`;
  const signal: Signal = {
    id,
    idempotency_key: `${origin.emitter}:${id}`,
    workspace: origin.workspace,
    emitter: origin.emitter,
    kind: draft.kind,
    occurred_at: occurredAt,
    received_at: origin.receivedAt,
    identifiers,
    traits,
    account: canonicalAccount(draft.account ?? {}),
    attribution: canonicalAttribution(draft.attribution ?? {}),
    ...(draft.consent === undefined ? {} : { consent: draft.consent }),
    properties: properties as JsonObject,
    schema_version: 1,
  };
  return ok(signal);
}

/** The event's own time, unless it lies too far in the future or is no time at all: then the arrival time. */
function believableInstant(claimed: number | undefined, receivedAt: number): number {
  if (claimed === undefined || !Number.isFinite(claimed) || claimed <= 0) return receivedAt;
  return claimed > receivedAt + clockAheadMaxMs ? receivedAt : Math.round(claimed);
}

function shortId(id: string): string {
  const clean = id.toWellFormed();
  return clean.length <= 200 ? clean : `long:${digest(clean)}`;
}

const traitNameLengthMax = 60;

/** Names under which vendors send what a lead keeps, without case, spaces and underscores. */
const aliases: ReadonlyMap<string, string> = new Map(
  Object.entries({
    email: "email",
    emailaddress: "email",
    firstname: "first_name",
    givenname: "first_name",
    lastname: "last_name",
    surname: "last_name",
    familyname: "last_name",
    phone: "phone",
    phonenumber: "phone",
    mobilephone: "phone",
    company: "company",
    companyname: "company",
    organization: "company",
    jobtitle: "job_title",
    title: "job_title",
    country: "country",
    timezone: "time_zone",
    website: "website",
  }),
);

function canonicalTraits(given: Readonly<Record<string, unknown>>): Record<string, string> {
  const traits: Record<string, string> = {};
  for (const [name, value] of Object.entries(given).slice(0, traitsMax)) {
    const text = scalarText(value);
    if (text === undefined) continue;
    const canonical = aliases.get(name.toLowerCase().replaceAll(/[\s_-]/g, "")) ?? bounded(name, traitNameLengthMax);
    const clean = cleanTrait(canonical, text);
    if (clean !== undefined) traits[canonical] = clean;
  }
  const fullName = scalarText(given.name);
  if (fullName !== undefined && traits.first_name === undefined && traits.last_name === undefined) {
    const [first, ...rest] = fullName.trim().split(/\s+/);
    if (first !== undefined && first !== "") traits.first_name = bounded(first);
    if (rest.length > 0) traits.last_name = bounded(rest.join(" "));
  }
  return traits;
}

function cleanTrait(name: string, text: string): string | undefined {
  if (name === "email") return normaliseEmail(text);
  const clean = bounded(text);
  if (clean === "") return undefined;
  return name === "phone" ? (normalisePhone(clean) ?? clean) : clean;
}

function scalarText(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (typeof value === "object" && value !== null && "name" in value && typeof value.name === "string")
    return value.name;
  return undefined;
}

function canonicalAccount(given: AccountRef): AccountRef {
  const domain = given.domain === undefined ? undefined : normaliseDomain(given.domain);
  const name = given.name === undefined ? undefined : bounded(given.name);
  return { ...(domain === undefined ? {} : { domain }), ...(name === undefined || name === "" ? {} : { name }) };
}

function canonicalAttribution(given: Attribution): Attribution {
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [name, bounded(value)]));
}

/** Cut first and made well-formed after: a cut may go through a character, and half a one spoils the record in CRMs and stores. */
function bounded(text: string, lengthMax = traitLengthMax): string {
  return text.trim().slice(0, lengthMax).toWellFormed();
}
