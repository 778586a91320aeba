/**
 * Merge protection: whether two people may become one over an identifier. A wrong merge is the worst thing this engine can
 * do, so whatever looks like two people is put before a person (DESIGN §6.2). Pure.
 */
import type { IdentityPolicy } from "../decide/identity-policy.ts";
import { membersMax } from "../limits.ts";
import type { Identifier } from "../model.ts";
import type { Root } from "./node.ts";

/** Who says that two are one. A person's word, and a CRM's about its own records, weighs more than limits do. */
export type Authority =
  | { readonly type: "signal" }
  | { readonly type: "crm" }
  /** A CRM made or found this record for one of them. */
  | { readonly type: "receipt" }
  /** Newer words of people replace older ones. */
  | { readonly type: "person"; readonly at: number };

const weights: Readonly<Record<Authority["type"], number>> = { person: 0, crm: 1, signal: 2, receipt: 3 };

/** Of two links to one node the lighter number is made first: where that is refused, the other one would be. */
export function weightOf({ type }: Authority): number {
  return weights[type];
}

/** What a root tells of itself to another root that wants to join it. */
export interface Profile {
  readonly nodes: readonly string[];
  /** Nodes of people who were said to be somebody else, and when that was said. */
  readonly kept_apart: readonly { readonly node: string; readonly at: number }[];
  /** Values by type. */
  readonly values: Readonly<Record<string, readonly string[]>>;
}

/** Values that are sent of one type: more than any limit, and few enough for one call. */
const valuesMax = 100;

export function profileOf(root: Root, asked?: Identifier): Profile {
  // What a refused link named is known of this person, and does not make them one with whoever else has it.
  const foreign = new Set(
    root.apart
      .filter(({ node }) => !root.members.includes(node))
      .map(({ identifier }) => `${identifier.type}:${identifier.value}`),
  );
  if (asked !== undefined) foreign.add(`${asked.type}:${asked.value}`);
  const values: Record<string, string[]> = {};
  for (const [key, { type, value }] of Object.entries(root.lead.identifiers)) {
    if (foreign.has(key) || Object.hasOwn(root.lead.former, key)) continue;
    const known = valuesOf(values, type);
    if (known.length < valuesMax) values[type] = [...known, value];
  }
  return {
    nodes: [root.name, ...root.members],
    kept_apart: root.apart
      .filter((item) => item.state === "kept_apart")
      .map(({ node, settled_at }) => ({ node, at: settled_at ?? 0 })),
    values,
  };
}

/**
 * Why these two must not become one over this identifier, or null. Symmetric in `a` and `b`, so that whoever is asked
 * first says the same.
 */
export function guard(
  a: Profile,
  b: Profile,
  over: Identifier,
  rules: IdentityPolicy,
  authority: Authority = { type: "signal" },
): string | null {
  const said = Math.max(saidApart(a, b), saidApart(b, a));
  if (said > 0 && !(authority.type === "person" && authority.at > said)) return "kept_apart";
  const members = a.nodes.length + b.nodes.length;
  if (members > (authority.type === "person" ? membersMax : rules.members_max)) return "too_many_members";
  if (authority.type === "person") return null;
  if (authority.type === "crm") return null;
  for (const [type, limit] of Object.entries(rules.limits)) {
    const [mine, theirs] = [valuesOf(a.values, type), valuesOf(b.values, type)];
    const together = new Set([...mine, ...theirs]).size;
    // Whoever is above the limit already may be joined with somebody who brings nothing new.
    if (together > limit && together > Math.max(mine.length, theirs.length)) return `too_many:${type}`;
  }
  if (authority.type === "receipt") return areStrangers(a, b, rules) ? "other_record" : null;
  return sharesOnly(a, b, over, rules);
}

/** Types are a sender's words: `constructor` is one too. */
function valuesOf(values: Profile["values"], type: string): readonly string[] {
  return Object.hasOwn(values, type) ? (values[type] ?? []) : [];
}

function saidApart(a: Profile, b: Profile): number {
  return Math.max(0, ...a.kept_apart.filter(({ node }) => b.nodes.includes(node)).map(({ at }) => at));
}

/** Two people with addresses of their own, and nothing in common but what people pass on. */
function sharesOnly(a: Profile, b: Profile, over: Identifier, rules: IdentityPolicy): string | null {
  const inbox = over.type === "email" && isRoleAccount(over.value, rules);
  if (!inbox && !rules.passed_on.includes(over.type)) return null;
  if (!areStrangers(a, b, rules)) return null;
  return inbox ? "shared_inbox" : over.type === "phone" ? "shared_phone" : "shared_device";
}

/** Each has addresses of their own, and none in common. */
function areStrangers(a: Profile, b: Profile, rules: IdentityPolicy): boolean {
  const own = (profile: Profile) => (profile.values.email ?? []).filter((value) => !isRoleAccount(value, rules));
  const [mine, theirs] = [own(a), own(b)];
  return mine.length > 0 && theirs.length > 0 && !mine.some((value) => theirs.includes(value));
}

/** `info@…`, also with a plus tag. */
export function isRoleAccount(email: string, rules: IdentityPolicy): boolean {
  const [local = ""] = email.split("@");
  return rules.role_accounts.includes(local.split("+")[0] ?? "");
}
