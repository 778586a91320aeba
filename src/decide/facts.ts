/** The facts that conditions look at, read from a signal and a lead when they are asked for. Pure. */
import type { Level, Score, Signal } from "../model.ts";
import { emailOf, type LeadFold, lifecycleOf } from "../resolve/lead.ts";
import { type Fact, type Read, readOf } from "./policy/condition.ts";
import { kindRuleOf, type Policy } from "./policy.ts";

export interface Known {
  readonly policy: Policy;
  readonly lead: LeadFold;
  /** The signal in question; absent where only the lead is. */
  readonly signal?: Signal;
  readonly score?: Score;
  readonly level?: Level;
}

/** Looks facts up by the names of `factNames`. */
export type FactReader = (name: string) => Read;

/** Each is read when it is asked for and once. */
export function factsOf(known: Known): FactReader {
  return once((name) => readOf(factOf(name, known)));
}

/** The facts of a signal besides those of its lead, which are read once for all of its signals. */
export function factsWith(signal: Signal, ofLead: FactReader): FactReader {
  return once((name) => (name.startsWith("signal.") ? readOf(signalFact(name, signal)) : ofLead(name)));
}

function once(read: FactReader): FactReader {
  // Most signals are asked for nothing.
  let known: Map<string, Read> | undefined;
  return (name) => {
    known ??= new Map();
    let found = known.get(name);
    if (found === undefined) {
      found = read(name);
      known.set(name, found);
    }
    return found;
  };
}

function signalFact(name: string, signal: Signal | undefined): Fact {
  if (name.startsWith("signal.properties.")) return propertyOf(signal, name.slice("signal.properties.".length));
  switch (name) {
    case "signal.kind":
      return signal?.kind;
    case "signal.emitter":
      return signal?.emitter;
    case "signal.utm_source":
    case "signal.utm_medium":
    case "signal.utm_campaign":
    case "signal.utm_term":
    case "signal.utm_content":
    case "signal.referrer":
    case "signal.landing_page":
      return signal?.attribution[name.slice("signal.".length) as keyof Signal["attribution"]];
    default:
      return undefined;
  }
}

function factOf(name: string, known: Known): Fact {
  const { lead, signal, policy, score } = known;
  if (name.startsWith("signal.")) return signalFact(name, signal);
  switch (name) {
    case "lead.email":
      return emailOf(lead);
    case "lead.email_domain":
      return domainOf(lead);
    case "lead.free_mail": {
      const domain = domainOf(lead);
      return domain === undefined ? undefined : policy.scoring.free_mail_domains.includes(domain);
    }
    case "lead.lifecycle":
      return lifecycleOf(lead, (kind) => kindRuleOf(policy, kind).lifecycle);
    case "lead.source":
      return lead.first?.source;
    case "lead.region":
      return regionOf(policy, lead)?.name;
    case "lead.company":
      return lead.fields.company?.value ?? lead.account?.value.name;
    case "account.domain":
      return lead.account?.value.domain ?? (isFreeMail(policy, lead) ? undefined : domainOf(lead));
    case "account.name":
      return lead.account?.value.name ?? lead.fields.company?.value;
    case "score.fit":
      return score?.fit;
    case "score.intent":
      return score?.intent;
    case "score.total":
      return score?.total;
    case "level":
      return known.level;
    default:
      return name.startsWith("lead.")
        ? lead.fields[name.slice("lead.".length) as keyof LeadFold["fields"]]?.value
        : undefined;
  }
}

/** Own members only: `constructor` is nobody's property. */
function propertyOf(signal: Signal | undefined, path: string): Fact {
  const { properties } = signal ?? {};
  if (properties === undefined || !Object.hasOwn(properties, path)) return undefined;
  const value = properties[path];
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? value : undefined;
}

export function domainOf(lead: LeadFold): string | undefined {
  return emailOf(lead)?.split("@")[1]?.toLowerCase();
}

function isFreeMail(policy: Policy, lead: LeadFold): boolean {
  const domain = domainOf(lead);
  return domain !== undefined && policy.scoring.free_mail_domains.includes(domain);
}

/** The company that a lead belongs to, by which reps are kept apart; undefined for somebody who writes from a free mailbox. */
export function companyOf(policy: Policy, lead: LeadFold): string | undefined {
  const domain = factOf("account.domain", { policy, lead });
  return typeof domain === "string" ? domain.toLowerCase() : undefined;
}

export function regionOf(policy: Policy, lead: LeadFold): Policy["holds"]["consent"]["regions"][number] | undefined {
  const country = lead.fields.country?.value.toLowerCase();
  if (country === undefined) return undefined;
  return policy.holds.consent.regions.find((region) => region.countries.some((item) => item.toLowerCase() === country));
}
