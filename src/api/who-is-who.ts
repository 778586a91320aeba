/**
 * Who is who, as people say it: two leads are one, or are two, or were wrongly made one. The API and the cards on the CRMs' records
 * both come here. What is said is an obligation of the lead's object when the answer comes. Objects move while they are asked; so
 * each attempt reads both anew, and saying the same twice changes nothing.
 */
import type { IdentityPolicy } from "../decide/identity-policy.ts";
import type { Env } from "../env.ts";
import { identityStub } from "../objects/names.ts";
import type { Choice, ChoiceAnswer, SplitAnswer, SplitCall } from "../objects/splitting.ts";
import { guard, profileOf } from "../resolve/guard.ts";
import type { Apart, Root } from "../resolve/node.ts";
import { reach, type Tie, tieId } from "../resolve/ties.ts";
import { viewOf } from "./read.ts";

/** What is on its way usually arrives within this; whoever asked is told to come again after it. */
const patienceMs = 3_000;
const pauseMs = 100;

/** Something of these leads is on its way: to be asked again. */
export interface UnderWay {
  readonly arm: "under_way";
}

/* ------------------------------------------------------------------------------------------ wrongly made one */

export type Cut =
  | { readonly arm: "split"; readonly stays: string; readonly leaves: string }
  | { readonly arm: "no_such_lead" }
  | { readonly arm: "no_such_link" }
  | UnderWay;

/** Names either the link or the lead that was merged. */
export interface CutOrder {
  readonly link?: string | undefined;
  readonly lead?: string | undefined;
  /** Address of who says so. */
  readonly by: string;
}

/** Those on both sides of a link are two people again. */
export function cutLink(env: Env, asked: string, order: CutOrder): Promise<Cut> {
  const tie = order.link ?? order.lead ?? "";
  return patiently<Cut>(async () => {
    const root = await rootOf(env, asked);
    if (root === null) return { arm: "no_such_lead" };
    const answer = await splitting(env, root.name).split({ tie, by: order.by, at: Date.now() });
    switch (answer.arm) {
      case "split":
        return answer;
      case "no_such_link":
        return cutBefore(env, root, order);
      case "moved":
      case "busy":
        return null;
    }
  });
}

/** There is no such link: because it was cut already, because its merge is still under way (null), or because there never was. */
async function cutBefore(env: Env, root: Root, { link, lead }: CutOrder): Promise<Cut | null> {
  const partings = root.apart.filter((item) => item.reason === "split");
  const known = partings.find(({ from, node }) => tieId({ a: from, b: node }) === link);
  const wanted = lead ?? known?.node;
  const other = wanted === undefined ? null : await rootOf(env, wanted);
  if (other === null || wanted === undefined) return { arm: "no_such_link" };
  // Sealed, and its state has not arrived: its link comes with it.
  if (other.name === root.name) return nodesOf(root).includes(wanted) ? { arm: "no_such_link" } : null;
  if (known === undefined && !partings.some(({ node }) => nodesOf(other).includes(node)))
    return { arm: "no_such_link" };
  // Whoever left was restored from the other one's log.
  const swapped = root.restored !== undefined && other.restored === undefined;
  return { arm: "split", stays: swapped ? other.name : root.name, leaves: swapped ? root.name : other.name };
}

/* ------------------------------------------------------------------------------------------ one or two */

export type Settled =
  /** They are one person; `owed`: will be in a moment. */
  | { readonly arm: "one" | "owed" | "apart" }
  | { readonly arm: "no_such_lead" }
  /** Cannot be kept apart: it is one lead, or they were made one over this link. */
  | { readonly arm: "same_lead" }
  | { readonly arm: "already_one"; readonly lead: string; readonly link: string }
  | { readonly arm: "too_many_members" }
  | UnderWay;

/** The second of the pair may be an identifier that is nobody's yet, where the first one has a question about it. */
export function settlePair(
  env: Env,
  identity: IdentityPolicy,
  pair: readonly [string, string],
  choice: Choice["choice"],
  by: string,
): Promise<Settled> {
  return patiently<Settled>(async () => {
    const [mine, theirs] = await Promise.all(pair.map((id) => rootOf(env, id)));
    if (mine == null || (theirs == null && !mine.apart.some(({ node }) => node === pair[1])))
      return { arm: "no_such_lead" };
    if (theirs?.name === mine.name) return choice === "merge" ? { arm: "one" } : already(mine, pair);
    const at = Date.now();
    const calls =
      choice === "merge" ? toMerge(mine, theirs ?? null, pair[1]) : toKeepApart(mine, theirs ?? null, pair[1]);
    if (choice === "merge" && theirs != null && !fits(mine, theirs, identity, at)) return { arm: "too_many_members" };
    for (const { name, node } of calls) {
      const answer = await choosing(env, name).choose({ choice, node, by, at });
      // It has become something else since it was read.
      if (answer.arm !== "ok") return null;
    }
    return { arm: choice === "merge" ? "owed" : "apart" };
  });
}

/** Which object is told of which node. */
interface Telling {
  readonly name: string;
  readonly node: string;
}

/** Where one of them has the question, it is the one to be told: its link is then made over the identifier in question. */
function toMerge(mine: Root, theirs: Root | null, wanted: string): readonly Telling[] {
  if (isOwed(mine, theirs)) return [];
  const [question] = [
    ...questions(mine, theirs, wanted),
    ...(theirs === null ? [] : questions(theirs, mine, mine.name)),
  ].sort((a, b) => (a.state === b.state ? 0 : a.state === "open" ? -1 : 1));
  return [question ?? { name: mine.name, node: theirs?.name ?? wanted }];
}

/** Every open question between the two is answered with it. */
function toKeepApart(mine: Root, theirs: Root | null, wanted: string): readonly Telling[] {
  const all = [...questions(mine, theirs, wanted), ...(theirs === null ? [] : questions(theirs, mine, mine.name))];
  const open = all.filter(({ state }) => state === "open");
  if (open.length > 0) return open;
  return all.length > 0 && !isOwed(mine, theirs) ? [] : [{ name: mine.name, node: theirs?.name ?? wanted }];
}

/** What `of` knows of links to the other one that were not made. */
function questions(of: Root, other: Root | null, wanted: string): readonly (Telling & Pick<Apart, "state">)[] {
  const nodes = other === null ? [wanted] : nodesOf(other);
  return of.apart
    .filter((item) => nodes.includes(item.node))
    .map(({ node, state }) => ({ name: of.name, node, state }));
}

/** A person has said that they are one, and the merge is under way. */
function isOwed(mine: Root, theirs: Root | null): boolean {
  const owes = (root: Root, nodes: readonly string[]) =>
    root.links.some(({ node, authority }) => authority.type === "person" && nodes.includes(node));
  return theirs !== null && (owes(mine, nodesOf(theirs)) || owes(theirs, nodesOf(mine)));
}

/** The one bound that also holds for what people say. */
function fits(mine: Root, theirs: Root, rules: IdentityPolicy, at: number): boolean {
  const said = { type: "person", at } as const;
  return guard(profileOf(mine), profileOf(theirs), { type: "person", value: "" }, rules, said) !== "too_many_members";
}

/** They are one; the link to cut is the latest between the two names that made one of two. Null while it is on its way. */
function already(root: Root, [a, b]: readonly [string, string]): Settled | null {
  if (a === b) return { arm: "same_lead" };
  const between = reach(root.ties, a).has(b) ? root.ties.filter((tie) => !reach(root.ties, a, tie).has(b)) : [];
  const tie = latest(between.filter(({ loser }) => loser !== undefined)) ?? latest(between);
  return tie === undefined ? null : { arm: "already_one", lead: root.name, link: tieId(tie) };
}

function latest(ties: readonly Tie[]): Tie | undefined {
  return ties.reduce<Tie | undefined>((last, tie) => (last === undefined || tie.at > last.at ? tie : last), undefined);
}

function nodesOf(root: Root): readonly string[] {
  return [root.name, ...root.members];
}

/* ------------------------------------------------------------------------------------------ asking */

/** Asks until there is an answer; null means that something is on its way. */
async function patiently<T>(ask: () => Promise<T | null>): Promise<T | UnderWay> {
  const end = Date.now() + patienceMs;
  for (;;) {
    const answer = await ask();
    if (answer !== null) return answer;
    if (Date.now() >= end) return { arm: "under_way" };
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

async function rootOf(env: Env, id: string): Promise<Root | null> {
  return (await viewOf(env, id))?.root ?? null;
}

/** The generated stub type of these calls is too deep for the compiler. */
function choosing(env: Env, name: string): { choose(call: Choice): Promise<ChoiceAnswer> } {
  return identityStub(env, name) as unknown as { choose(call: Choice): Promise<ChoiceAnswer> };
}

function splitting(env: Env, name: string): { split(call: SplitCall): Promise<SplitAnswer> } {
  return identityStub(env, name) as unknown as { split(call: SplitCall): Promise<SplitAnswer> };
}
