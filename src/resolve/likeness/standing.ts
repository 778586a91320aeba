/** What identity itself knows of two people who look alike: whether there is anything to ask. Pure. */
import { digest } from "../../crypto.ts";
import type { Apart, Root } from "../node.ts";

export type Standing =
  /** Nobody has looked at these two yet. */
  | { readonly arm: "unknown" }
  | { readonly arm: "one" }
  /** A link between them is owed: it will be made, or refused and put before a person. */
  | { readonly arm: "linking" }
  /** Said to be two, or a refused link lies before a person already. */
  | { readonly arm: "apart"; readonly state: Apart["state"]; readonly by: string | null };

export function standingOf(a: Root, b: Root): Standing {
  if (a.name === b.name) return { arm: "one" };
  const between = [...naming(a.apart, b), ...naming(b.apart, a)];
  const known = between.find(({ state }) => state === "kept_apart") ?? between[0];
  if (known !== undefined) return { arm: "apart", state: known.state, by: known.settled_by ?? null };
  if (naming(a.links, b).length + naming(b.links, a).length > 0) return { arm: "linking" };
  // Linking goes by identifiers: whoever shares one is being linked, or is kept apart by the far end.
  const shared = Object.keys(a.lead.identifiers).some((key) => Object.hasOwn(b.lead.identifiers, key));
  return shared ? { arm: "linking" } : { arm: "unknown" };
}

function naming<T extends { readonly node: string }>(items: readonly T[], person: Root): readonly T[] {
  return items.filter(({ node }) => node === person.name || person.members.includes(node));
}

/** Of the exception; the same whoever is named first. */
export function proposalId(a: string, b: string): string {
  return `ex_${digest("likely_duplicate", ...[a, b].sort())}`;
}

/** Names that a proposal can have been made under; more than a few means a life of merges, and the bound is enough. */
const namesMax = 20;

/**
 * Every id that a proposal of these two can have: each may have been proposed before it took others in, and what a person
 * said then still holds.
 */
export function proposalIds(a: Root, b: Root): readonly string[] {
  const [mine, theirs] = [a, b].map((root) => [root.name, ...Object.keys(root.absorbed)].slice(0, namesMax));
  return (mine ?? []).flatMap((left) => (theirs ?? []).map((right) => proposalId(left, right)));
}
