/**
 * Identity objects without a platform: the real pure functions, and between them the calls of `objects/linking.ts` in their
 * order, each at once and never in vain. What crashes, lost answers and calls that cross do is the simulator's business
 * (`test/sim`); here, it is what the rules themselves come to, a hundred thousand times in some seconds.
 */
import { type Answer, decide } from "../src/decide/decide.ts";
import { defaultPolicy } from "../src/decide/default-policy.ts";
import { kindRuleOf, type Policy } from "../src/decide/policy.ts";
import { queueDelayMs } from "../src/limits.ts";
import type { Signal } from "../src/model.ts";
import { guard, profileOf } from "../src/resolve/guard.ts";
import { absorb, choseApart, choseMerge, keepApart, linkDone, tieOf } from "../src/resolve/merge.ts";
import {
  type Alias,
  applyAnswer,
  applyEntry,
  followUpFacts,
  type LinkTodo,
  type LogEntry,
  newRoot,
  type Root,
} from "../src/resolve/node.ts";
import { decisionDue } from "../src/resolve/obligations.ts";
import { type Parted, split } from "../src/resolve/split.ts";
import { type Tie, tied } from "../src/resolve/ties.ts";

export const salesPolicy: Policy = defaultPolicy(["sam@example.com"]);

export interface Call {
  readonly signal: Signal;
  /** Nodes of its identifiers, in their order. */
  readonly nodes: readonly [string, ...string[]];
}

type State = Root | Extract<Alias, { acknowledged: true }>;

export class Identities {
  now = 0;
  readonly #policy: Policy;
  readonly #decides: boolean;
  readonly #states = new Map<string, State>();
  readonly #logs = new Map<string, Map<string, LogEntry>>();

  constructor(options: { readonly decides: boolean; readonly policy?: Policy }) {
    this.#policy = options.policy ?? salesPolicy;
    this.#decides = options.decides;
  }

  get roots(): readonly Root[] {
    return [...this.#states.values()].filter((state) => state.role === "root");
  }

  rootOf(node: string): Root {
    let state = this.#states.get(node);
    while (state?.role === "alias") state = this.#states.get(state.parent);
    if (state === undefined) throw new Error(`nobody is known at ${node}`);
    return state;
  }

  /** Signals of this person, in the order in which they were applied. */
  signalsOf(root: Root): readonly Signal[] {
    return [...this.#log(root.name).values()].map((entry) => entry.signal);
  }

  receive({ signal, nodes }: Call): "applied" | "duplicate" {
    let name = nodes[0];
    let state = this.#states.get(name);
    while (state?.role === "alias") {
      name = state.parent;
      state = this.#states.get(name);
    }
    const root = state ?? newRoot(name, signal.workspace);
    const log = this.#log(name);
    const key = signal.idempotency_key;
    if (log.has(key)) return "duplicate";
    const { tier } = kindRuleOf(this.#policy, signal.kind);
    const windowMs = root.undecided.some((item) => item.waiting) ? 0 : this.#policy.tiers[tier].window_ms;
    const entry: LogEntry = {
      seq: root.seq + 1,
      root: name,
      signal,
      node_of: nodes,
      ...(this.#decides ? { undecided: { key, decide_at: this.now + windowMs, waiting: false } } : {}),
    };
    log.set(key, entry);
    this.#states.set(name, applyEntry(root, entry));
    return "applied";
  }

  /** Makes every link that is owed, then every decision that is due; a round at a time, for one may owe the next. */
  work(): void {
    for (let busy = true; busy; ) {
      busy = false;
      for (const { name } of this.roots) busy = this.workAt(name) || busy;
      for (const { name } of this.roots) this.#decideDue(name);
    }
  }

  /** Makes the links that this root owes. False where there are none. */
  workAt(name: string): boolean {
    const state = this.#states.get(name);
    const links = state?.role === "root" ? state.links : [];
    for (const link of links) this.#makeLink(name, link);
    return links.length > 0;
  }

  /** Makes one link that is owed, whichever chance says. False where none is. */
  workOnce(random: () => number): boolean {
    const owing = this.roots.filter((root) => root.links.length > 0);
    const root = owing[Math.floor(random() * owing.length)];
    const link = root?.links[Math.floor(random() * root.links.length)];
    if (root === undefined || link === undefined) return false;
    this.#makeLink(root.name, link);
    return true;
  }

  /** A person's word; `node` is one of the other one's. */
  choose(at: string, choice: "merge" | "keep_apart", node: string, by = "sam@example.com"): void {
    const root = this.rootOf(at);
    const chosen = choice === "merge" ? choseMerge : choseApart;
    const asked = root.apart.some((item) => item.node === node)
      ? root
      : {
          ...root,
          apart: [
            ...root.apart,
            {
              from: root.name,
              node,
              identifier: { type: "person", value: "" },
              other: node,
              reason: "said_by_a_person",
              by: `person:${by}`,
              at: this.now,
              state: "open" as const,
            },
          ],
        };
    this.#states.set(root.name, chosen(asked, node, choice === "merge" ? `person:${by}` : by, this.now));
  }

  /** Cuts a link of the person at this node; what leaves arrives in the same turn. */
  split(node: string, tie: string, by = "sam@example.com"): "split" | "no_such_link" | "busy" {
    const root = this.rootOf(node);
    const done = split(root, [...this.#log(root.name).values()], { ...this.#time(), tie, by });
    if (done.arm === "split") this.#part(root, done);
    return done.arm;
  }

  #part(root: Root, { stays, parting, leaving }: Parted): void {
    const { to, root: left, staying } = parting;
    const point = (node: string, parent: string) => {
      const known = this.#states.get(node);
      if (known?.role === "alias" && known.epoch < left.version)
        this.#states.set(node, { ...known, parent, epoch: left.version });
    };
    for (const node of staying) point(node, root.name);
    const gone = new Map<string, LogEntry>();
    for (const key of leaving) {
      const entry = this.#log(root.name).get(key);
      if (entry !== undefined) gone.set(key, { ...entry, seq: gone.size + 1, root: to });
      this.#log(root.name).delete(key);
    }
    this.#logs.set(to, gone);
    this.#states.set(to, left);
    for (const node of left.members) point(node, to);
    this.#states.set(root.name, { ...stays, partings: [] });
  }

  #makeLink(name: string, link: LinkTodo): void {
    const root = this.#states.get(name);
    // Part of another one by now, or done along the way.
    if (root?.role !== "root" || !root.links.includes(link)) return;
    const { node, identifier, authority } = link;
    const found = this.#states.get(node);
    if (found === undefined) {
      this.#states.set(node, { role: "alias", parent: name, epoch: 0, acknowledged: true });
      this.#states.set(name, linkDone(root, node, this.now));
      return;
    }
    const other = this.rootOf(node);
    if (other.name === name) {
      this.#states.set(name, linkDone(root, node, this.now));
      return;
    }
    const reason = guard(profileOf(root, identifier), profileOf(other), identifier, this.#policy.identity, authority);
    if (reason !== null) {
      this.#states.set(name, keepApart(root, node, other.name, reason, this.now));
      return;
    }
    const [winner, loser] = name < other.name ? [root, other] : [other, root];
    this.#merge(winner, loser, tieOf(link, this.now, loser.name));
    const after = this.#states.get(name);
    if (after?.role === "root") this.#states.set(name, linkDone(after, node, this.now));
  }

  #merge(winner: Root, loser: Root, tie: Tie): void {
    const sealed: Root = { ...loser, ties: tied(loser.ties, tie) };
    const log = this.#log(winner.name);
    let root = winner;
    for (const [key, entry] of this.#log(loser.name)) {
      if (log.has(key)) continue;
      const { undecided: _travelsWithTheState, ...facts } = entry;
      const own: LogEntry = { ...facts, seq: root.seq + 1, root: root.name };
      root = { ...applyEntry(root, own), links: root.links };
      log.set(key, own);
    }
    this.#states.set(root.name, absorb(root, sealed, [], this.#policy.one_open_per));
    this.#logs.delete(loser.name);
    this.#states.set(loser.name, { role: "alias", parent: root.name, epoch: loser.version, acknowledged: true });
  }

  #decideDue(name: string): void {
    const root = this.rootOf(name);
    if (!decisionDue(root, this.now)) return;
    const signals = root.undecided.flatMap(({ key }) => this.#log(root.name).get(key)?.signal ?? []);
    const answer: Answer = decide({
      policy: this.#policy,
      lead: root.lead,
      leadId: root.name,
      followUps: followUpFacts(root),
      signals,
      now: this.now,
    });
    this.#states.set(root.name, applyAnswer(root, answer, []));
  }

  #time() {
    const { routes, tiers } = this.#policy;
    return {
      at: this.now,
      decideSince: this.now - Math.max(...routes.map((route) => route.when.max_age_ms)),
      undecidedMs: Math.max(...Object.values(tiers).map((tier) => tier.window_ms)) + queueDelayMs,
    };
  }

  #log(name: string): Map<string, LogEntry> {
    const known = this.#logs.get(name) ?? new Map<string, LogEntry>();
    this.#logs.set(name, known);
    return known;
  }
}
