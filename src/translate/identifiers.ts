/**
 * Which of the ways to name a person count in this workspace, and in which spelling: what every workspace refuses
 * (`normalise.ts`), what the policy's `identity` section refuses, and one spelling per mailbox. Pure.
 */
import type { IdentityPolicy } from "../decide/identity-policy.ts";
import { identifiersMax } from "../limits.ts";
import type { Identifier } from "../model.ts";
import { canonicalMailbox } from "./mailbox.ts";
import { normaliseEmail, normaliseIdentifier, normalisePhone, rankOf } from "./normalise.ts";

export interface Named {
  /** Each once, the strongest first, at most `identifiersMax`. Empty: the event names nobody, and `refusal` says why. */
  readonly identifiers: readonly Identifier[];
  /** The address to write to, where no trait tells it and the identifiers no longer spell it as it was given. */
  readonly address?: string;
  /** For an operator: why nothing counts. Numbers only, for what was given is personal. */
  readonly refusal: string;
}

/** `email`: the trait, which names a person as an identifier does. */
export function named(given: readonly Identifier[], email: string | undefined, policy: IdentityPolicy): Named {
  const rules = rulesOf(policy);
  const counted = new Map<string, Identifier>();
  const refused = new Map<string, Refusal>();
  const addresses: Address[] = [];
  for (const item of email === undefined ? given : [...given, { type: "email", value: email }]) {
    const verdict = judge(item, rules);
    if (verdict.counts) counted.set(`${verdict.as.type}:${verdict.as.value}`, verdict.as);
    else refused.set(`${item.type}:${comparable(item.value)}`, verdict.because);
    if (verdict.address !== undefined) addresses.push(verdict.address);
  }
  const address = email === undefined ? addressToKeep(addresses) : undefined;
  return {
    identifiers: [...counted.values()].sort(byStrength).slice(0, identifiersMax),
    ...(address === undefined ? {} : { address }),
    refusal: refusalOf([...refused.values()]),
  };
}

/* ---------------------------------------------------------------------------------------------- one identifier */

type Refusal = "unusable" | "blocked" | "disposable";

interface Address {
  readonly given: string;
  /** `respelt`: it counts, in another spelling. `mute`: it names nobody and can be written to all the same. */
  readonly became: "same" | "respelt" | "mute";
}

type Verdict =
  | { readonly counts: true; readonly as: Identifier; readonly address?: Address }
  | { readonly counts: false; readonly because: Refusal; readonly address?: Address };

function judge(given: Identifier, rules: Rules): Verdict {
  const clean = normaliseIdentifier(given);
  if (clean === undefined) return { counts: false, because: "unusable" };
  if (clean.type !== "email") {
    if (rules.blocks(given.value) || rules.blocks(clean.value)) return { counts: false, because: "blocked" };
    return { counts: true, as: clean };
  }
  const mailbox = rules.oneSpelling ? canonicalMailbox(clean.value) : clean.value;
  // `t.e.s.t@gmail.com` is as much of a placeholder as what it stands for.
  const as = mailbox === clean.value ? clean : normaliseIdentifier({ type: "email", value: mailbox });
  if (as === undefined) return { counts: false, because: "unusable" };
  if (rules.blocks(clean.value) || rules.blocks(mailbox)) return { counts: false, because: "blocked" };
  if (rules.isDisposable(clean.value) || rules.isDisposable(mailbox)) {
    return { counts: false, because: "disposable", address: { given: clean.value, became: "mute" } };
  }
  return { counts: true, as, address: { given: clean.value, became: mailbox === clean.value ? "same" : "respelt" } };
}

/**
 * Connectors send an address as a trait, as an identifier or as both; what becomes of it must not hang on that. The first
 * that counts, if one of them would be lost in its given spelling; a throw-away address only where there is no other.
 */
function addressToKeep(addresses: readonly Address[]): string | undefined {
  const counted = addresses.filter(({ became }) => became !== "mute");
  if (counted.length === 0) return addresses[0]?.given;
  return counted.some(({ became }) => became === "respelt") ? counted[0]?.given : undefined;
}

function byStrength(a: Identifier, b: Identifier): number {
  return rankOf(a.type) - rankOf(b.type) || (a.type < b.type ? -1 : a.type > b.type ? 1 : a.value < b.value ? -1 : 1);
}

const refusals: readonly (readonly [Refusal, string])[] = [
  ["unusable", "Placeholders or impossible values"],
  ["blocked", "In the policy's identity.blocked_values"],
  ["disposable", "At one of the policy's identity.disposable_domains"],
];

function refusalOf(refused: readonly Refusal[]): string {
  if (refused.length === 0) return "Nothing in the event names a person.";
  const parts = refusals.flatMap(([because, words]) => {
    const count = refused.filter((item) => item === because).length;
    return count === 0 ? [] : [`${words}: ${count}.`];
  });
  return `Identifiers were given, and none of them counts. ${parts.join(" ")}`;
}

/* ------------------------------------------------------------------------------------------------- the policy */

interface Rules {
  readonly oneSpelling: boolean;
  readonly blocks: (value: string) => boolean;
  readonly isDisposable: (email: string) => boolean;
}

/**
 * Sets made of a policy's lists, once per policy and not per signal: they may hold thousands. A memo and no state: what it
 * gives follows from the policy alone (whose lists nobody changes in place), and it goes when the policy goes.
 */
const memo = new WeakMap<IdentityPolicy, Rules>();

function rulesOf(policy: IdentityPolicy): Rules {
  const known = memo.get(policy);
  if (known !== undefined) return known;
  const blocked = new Set(policy.blocked_values.flatMap((value) => spellings(value, policy.provider_rules)));
  const disposable = new Set(policy.disposable_domains.map(comparableDomain));
  const rules: Rules = {
    oneSpelling: policy.provider_rules,
    blocks: (value) => blocked.size > 0 && blocked.has(comparable(value)),
    isDisposable: (email) => domainsOf(email).some((domain) => disposable.has(domain)),
  };
  memo.set(policy, rules);
  return rules;
}

function comparable(value: string): string {
  return value.normalize("NFC").trim().toLowerCase();
}

/** Lists are typed by people: a number with blanks, an address with dots mean what they mean at the door. */
function spellings(value: string, oneSpelling: boolean): string[] {
  const email = normaliseEmail(value);
  const others = [
    email,
    oneSpelling && email !== undefined ? canonicalMailbox(email) : undefined,
    normalisePhone(value),
  ];
  return [comparable(value), ...others.filter((other) => other !== undefined)];
}

/** In the spelling of `normaliseEmail`, which writes letters beyond ASCII as `xn--`. */
function comparableDomain(domain: string): string {
  const plain = comparable(domain);
  return /[^ -~]/.test(plain) ? (normaliseEmail(`x@${plain}`)?.slice(2) ?? plain) : plain;
}

/** `a@mail.example.com` is at mail.example.com and at example.com; never at `com`, which a slip of the pen may list. */
function domainsOf(email: string): string[] {
  const domains: string[] = [];
  for (let from = email.lastIndexOf("@") + 1; email.includes(".", from); from = email.indexOf(".", from) + 1)
    domains.push(email.slice(from));
  return domains;
}
