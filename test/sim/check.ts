/** The guarantees of DESIGN §5 as checks: some after every step that can break them, the rest when everything has come to rest. */
import { canonicalJson } from "../../src/crypto.ts";
import { decide } from "../../src/decide/decide.ts";
import { kindRuleOf, type Policy } from "../../src/decide/policy.ts";
import { scoreOf } from "../../src/decide/score.ts";
import { type JournalEntry, projectionOf } from "../../src/ledger/rows.ts";
import { hopsMax } from "../../src/limits.ts";
import type { Signal } from "../../src/model.ts";
import type { ReceiveAnswer, ReceiveCall } from "../../src/objects/identity.ts";
import { IdentityStore } from "../../src/objects/identity-store.ts";
import type { Assigned } from "../../src/objects/team-store.ts";
import { withFieldQuestions } from "../../src/resolve/field-questions.ts";
import type { Profile } from "../../src/resolve/guard.ts";
import { displayName, emailOf, emptyLead, foldSignal, type LeadFold, lifecycleOf } from "../../src/resolve/lead.ts";
import {
  type ActionRecord,
  type FollowUpRecord,
  type LogEntry,
  type Node,
  peopleOf,
  type Root,
} from "../../src/resolve/node.ts";
import { unknownRecords } from "../../src/resolve/records.ts";
import { spans } from "../../src/resolve/ties.ts";
import type { CrmAccount, Task } from "./crm.ts";
import type { Host, Platform } from "./platform.ts";
import { checkRecords } from "./records.ts";
import type { Sending } from "./scenario.ts";

/**
 * An identity asks about consent, then its call travels, waits up to 5 s with the asker on the line, and a last question of
 * the account may be under way: what was withdrawn within this time of the send could not have been known.
 */
const consentSlackMs = 15_000;
/** What the asker said of itself may be as old as the slowest hop and the slowest read of the policy from D1. */
const guardSlackMs = 8_500;

export class LiveChecks {
  readonly acknowledged = new Map<string, Signal>();
  merges = 0;
  readonly #platform: Platform;
  readonly #accounts: ReadonlyMap<string, CrmAccount>;
  readonly #insertedAt = new Map<string, number>();
  /** When a root last took another one in: what two people knew of each other before is nobody's fault. */
  readonly #absorbedAt = new Map<string, { readonly names: string; readonly at: number; readonly doubles: number }>();
  /** When a part of a root last left: what they know of each other since is nobody's fault either. */
  readonly #partedAt = new Map<string, { readonly ids: string; readonly at: number }>();
  readonly #lastInsertAt = new Map<string, number>();
  readonly #wasRoot = new Set<string>();
  /** Who last asked an identity to join it, and what it said of itself. */
  readonly #asked = new Map<string, { readonly to: string; readonly profile: Profile }>();
  readonly #versions = new Map<string, number>();

  constructor(platform: Platform, accounts: ReadonlyMap<string, CrmAccount>) {
    this.#platform = platform;
    this.#accounts = accounts;
    platform.onInsert = (host, query, bindings) => {
      if (!query.startsWith("INSERT INTO log")) return;
      this.#insertedAt.set(`${host.name} ${bindings[0]}`, platform.engine.now);
      this.#lastInsertAt.set(host.name, platform.engine.now);
    };
    platform.onState = (host) => this.#onState(host);
    platform.onLedger = () => this.#onLedger();
    platform.onAnswer = (method, args, value) => {
      if (method !== "receive" || (value as ReceiveAnswer).arm !== "swallowed") return;
      const { signal } = args[0] as ReceiveCall;
      this.swallowed.add((JSON.parse(signal) as Signal).idempotency_key);
    };
    platform.onCall = (host, method, args) => {
      if (method === "requestLink") this.#asked.set(host.name, args[0] as { to: string; profile: Profile });
    };
  }

  /** What people said: the ends of links that were cut, pairs that are two, pairs that are one. */
  readonly cut: { readonly a: string; readonly b: string }[] = [];
  readonly merged: { readonly a: string; readonly b: string; readonly at: number }[] = [];

  /** Keys of signals that came after their person was erased. */
  readonly swallowed = new Set<string>();
  /** Nodes of people who were erased, and what happened before which instant went with them. */
  readonly erased = new Map<string, { readonly before: number; readonly doneAt: number }>();

  onSplit(tie: { readonly a: string; readonly b: string }): void {
    this.cut.push(tie);
  }

  onKeptApart(a: string, b: string): void {
    this.cut.push({ a, b });
  }

  onMerge(a: string, b: string, at: number): void {
    this.merged.push({ a, b, at });
  }

  /** Chains of aliases never bite their tail (G5). */
  #onState(host: Host): void {
    if (host.className !== "identity") return;
    const node = host.disk.kv.get("node") as Node | undefined;
    if (node?.role === "erased")
      this.erased.set(host.name, { before: node.erased_at, doneAt: this.#platform.engine.now });
    if (node?.role === "root") this.#onAbsorbed(host, node);
    const wasRoot = this.#wasRoot.has(host.name);
    if (node?.role === "root") this.#wasRoot.add(host.name);
    else this.#wasRoot.delete(host.name);
    if (node?.role !== "alias") return;
    if (!node.acknowledged && wasRoot) this.#onSeal(host, node.sealed, node.parent);
    if (!node.acknowledged) this.merges++;
    this.#platform.engine.say(
      () =>
        `${host.label} is now an alias of ${this.#platform.label(node.parent)}${node.acknowledged ? "" : " (sealed)"}`,
    );
    const seen = new Set<string>([host.name]);
    let at: Node | undefined = node;
    while (at?.role === "alias") {
      if (seen.has(at.parent)) {
        this.#platform.engine.fail("G5", `a cycle of aliases at ${host.label}`);
        return;
      }
      seen.add(at.parent);
      at = this.#platform.hosts.get(`identity ${at.parent}`)?.disk.kv.get("node") as Node | undefined;
    }
  }

  /** A loser is taken in once (G2): a tombstone more and no name more means that it was taken in again. */
  #onAbsorbed(host: Host, root: Root): void {
    const ids = root.partings.map(({ id }) => id).join(" ");
    if (ids !== "" && this.#partedAt.get(host.name)?.ids !== ids)
      this.#partedAt.set(host.name, { ids, at: this.#platform.engine.now });
    const known = this.#absorbedAt.get(host.name) ?? { names: "{}", at: 0, doubles: 0 };
    const doubles =
      root.unprojected.gone.length -
      new Set(root.unprojected.gone.map(({ name, version }) => `${name} ${version}`)).size;
    const names = canonicalJson(root.absorbed);
    const grew = names !== known.names;
    if (!grew && doubles > known.doubles)
      this.#platform.engine.fail("G2", `${host.label} took a loser in that it had taken in before`);
    this.#absorbedAt.set(host.name, {
      names,
      at: grew ? this.#platform.engine.now : known.at,
      doubles,
    });
  }

  /**
   * Nobody becomes one with somebody who has another user id, as far as could be known. (Two that join a third at the same
   * moment cannot know of each other: that race is the design's, see the report of the simulator.)
   */
  #onSeal(host: Host, sealed: Root, parent: string): void {
    const asked = this.#asked.get(host.name);
    // An answer to nobody: the next seal may be of this node's own accord, when whoever asked has become somebody else.
    this.#asked.delete(host.name);
    if (sealed.ties.at(-1)?.by.startsWith("person:") === true) return;
    const own = userIds(sealed);
    const said = asked?.to === parent ? (asked.profile.values.user_id ?? []).map((value) => `user_id:${value}`) : [];
    if (own.length > 0 && said.length > 0 && !own.some((key) => said.includes(key)))
      this.#platform.engine.fail(
        "GUARD",
        `${host.label} joins ${this.#platform.label(parent)}, who said another user id`,
      );
    const into = this.#platform.hosts.get(`identity ${parent}`);
    const other = into === undefined ? undefined : nodeOf(into);
    if (other?.role !== "root") return;
    const [mine, theirs] = [userIds(sealed), userIds(other)];
    if (mine.length === 0 || theirs.length === 0 || mine.some((key) => theirs.includes(key))) return;
    const known = theirs.every((key) => (other.lead.identifiers[key]?.first_at ?? 0) > 0);
    const since = Math.max(this.#absorbedAt.get(parent)?.at ?? 0, this.#lastInsertAt.get(parent) ?? 0);
    if (known && since < this.#platform.engine.now - guardSlackMs)
      this.#platform.engine.fail(
        "GUARD",
        `${host.label} joins ${this.#platform.label(parent)}, who has another user id`,
      );
  }

  /** Rows only move forward (G8). */
  #onLedger(): void {
    for (const table of ["leads", "follow_ups", "exceptions"]) {
      if (!this.#platform.ledger.hasChanged(table)) continue;
      const rows = this.#platform.ledger.all(`SELECT id, version FROM ${table}`) as { id: string; version: number }[];
      for (const { id, version } of rows) {
        const key = `${table} ${id}`;
        const known = this.#versions.get(key) ?? 0;
        if (version < known) this.#platform.engine.fail("G8", `${key} went from version ${known} to ${version}`);
        this.#versions.set(key, version);
      }
    }
  }

  /** No create leaves for a person whose withdrawal of consent had been applied (G11). */
  onSend(key: string, held: (lead: LeadFold) => boolean): void {
    for (const host of this.#platform.hostsOf("identity")) {
      const node = nodeOf(host);
      if (node.role !== "root" || node.lead.consent === null || !held(node.lead)) continue;
      if (!node.follow_ups.some((item) => item.actions.some((action) => action.key === key))) continue;
      const at = Math.max(
        this.#insertedAt.get(`${host.name} ${node.lead.consent.key}`) ?? this.#platform.engine.now,
        this.#absorbedAt.get(host.name)?.at ?? 0,
        this.#partedAt.get(host.name)?.at ?? 0,
      );
      if (at < this.#platform.engine.now - consentSlackMs)
        this.#platform.engine.fail("G11", `${key} leaves although ${node.lead.consent.key} had withdrawn consent`);
    }
  }

  /** One external effect per action (G3). */
  onTask(account: CrmAccount, task: Task): void {
    if ((account.createdOf.get(task.key) ?? 0) > 1) this.#platform.engine.fail("G3", `a second task for ${task.key}`);
  }

  /** What people have said a field of a task is to be, in a CRM or by the API. */
  readonly #words = new Set<string>();

  onWord(field: string, value: unknown): void {
    this.#words.add(`${field} ${String(value)}`);
  }

  /** Over what a person typed only another person's word may be written: whose follow-up it is, and when it is due (G9). */
  onOverwrite(task: Task, field: string, value: unknown): void {
    const isWord = (field === "ownerId" || field === "dueAt") && this.#words.has(`${field} ${String(value)}`);
    if (!isWord)
      this.#platform.engine.fail("G9", `${field} of ${task.id} (${task.key}) was a person's and is overwritten`);
  }

  get accounts(): ReadonlyMap<string, CrmAccount> {
    return this.#accounts;
  }
}

function userIds(root: Root): readonly string[] {
  return Object.keys(root.lead.identifiers).filter((key) => key.startsWith("user_id:"));
}

interface Rest {
  readonly platform: Platform;
  readonly nodes: ReadonlyMap<string, Node>;
  readonly roots: readonly { readonly root: Root; readonly log: readonly LogEntry[] }[];
  fail(guarantee: string, text: string): void;
  label(name: string): string;
  rootOf(name: string): Root | null;
}

/** Nodes that point to nobody who knows them: claims that nobody came back to. */
export function leftovers(platform: Platform): readonly string[] {
  const nodes = new Map(platform.hostsOf("identity").map((host) => [host.name, nodeOf(host)]));
  return [...nodes.keys()].filter((name) => {
    let node = nodes.get(name);
    if (node?.role !== "alias" || !node.acknowledged) return false;
    for (let hops = 0; hops < hopsMax && node?.role === "alias"; hops++) node = nodes.get(node.parent);
    return node?.role !== "root" || !node.members.includes(name);
  });
}

/** Looks only at what is on disk: memory is a cache, and everything has been evicted. */
export function checkAtRest(
  platform: Platform,
  live: LiveChecks,
  accounts: ReadonlyMap<string, CrmAccount>,
  policy: Policy,
  sendings: readonly Sending[],
): void {
  const hosts = platform.hostsOf("identity");
  const nodes = new Map(hosts.map((host) => [host.name, nodeOf(host)]));
  const roots: { root: Root; log: readonly LogEntry[] }[] = [];
  for (const host of hosts) {
    const node = nodes.get(host.name);
    if (node?.role === "root") roots.push({ root: node, log: storeOf(host).log });
  }
  const rest: Rest = {
    platform,
    nodes,
    roots,
    fail: (guarantee, text) => platform.engine.fail(guarantee, text),
    label: (name) => platform.label(name),
    rootOf: (name) => {
      let node = nodes.get(name);
      for (let hops = 0; hops < hopsMax && node?.role === "alias"; hops++) node = nodes.get(node.parent);
      return node?.role === "root" ? node : null;
    },
  };
  checkLogs(rest, live);
  checkErased(rest, live, accounts);
  checkLinks(rest, live, sendings, accounts);
  checkWords(rest, live);
  for (const { root, log } of roots) {
    checkFold(rest, root, log);
    checkObligations(rest, root);
    checkTouched(rest, root, accounts);
    checkFollowUps(rest, live, root, log, policy, accounts);
    checkRecords(root, accounts, rest.fail);
  }
  checkTasks(rest, live, accounts);
  checkLedger(rest, policy);
  checkTeam(rest);
  checkHistory(rest, policy);
}

/** G1, G2. */
function checkLogs(rest: Rest, live: LiveChecks): void {
  const where = new Map<string, string[]>();
  for (const { root, log } of rest.roots) {
    for (const entry of log) {
      const key = entry.signal.idempotency_key;
      where.set(key, [...(where.get(key) ?? []), root.name]);
    }
  }
  const erasures = rest.platform.ledger.all("SELECT keys FROM erasures") as { keys: string }[];
  const gone = new Set(erasures.flatMap((row) => JSON.parse(row.keys) as string[]));
  // Of an erased person; what somebody new does by the same identifier is as dear as anybody's.
  const before = new Map([...live.erased].map(([name, erased]) => [rest.label(name), erased.before]));
  for (const [key, signal] of live.acknowledged) {
    if (
      where.has(key) ||
      live.swallowed.has(key) ||
      gone.has(key) ||
      signal.identifiers.some(({ value }) => signal.occurred_at < (before.get(value) ?? 0))
    )
      continue;
    rest.fail("G1", `${key} was accepted and is nowhere`);
  }
  for (const [key, names] of where) {
    if (names.length > 1) rest.fail("G2", `${key} is applied at ${names.map(rest.label).join(" and ")}`);
  }
}

/** G14: nothing of an erased person is anywhere, and what comes late does not bring them back. */
function checkErased(rest: Rest, live: LiveChecks, accounts: ReadonlyMap<string, CrmAccount>): void {
  if (live.erased.size === 0) return;
  const before = (name: string) => live.erased.get(name)?.before ?? 0;
  const names = new Map([...rest.platform.labels].map(([name, label]) => [label, name]));
  const isGone = (signal: Signal) => {
    const first = signal.identifiers[0]?.value ?? "";
    return signal.occurred_at < before(names.get(first) ?? "");
  };
  for (const { root, log } of rest.roots)
    for (const { signal } of log)
      if (isGone(signal)) rest.fail("G14", `${signal.id} of an erased person lies at ${rest.label(root.name)}`);
  for (const entry of historyOf(rest.platform))
    if (entry.type === "signal" && isGone(entry.signal))
      rest.fail("G14", `${entry.signal.id} of an erased person is in history`);
  // Whoever began anew where an erased person was may have become part of somebody since.
  const living = new Set(rest.roots.flatMap(({ root }) => [root.name, ...Object.keys(root.absorbed)]));
  const alive = rest.roots.flatMap(({ root }) => Object.values(root.lead.identifiers).map(({ value }) => value));
  // A node of which nobody knows what it stands for names nobody.
  const gone = [...live.erased.keys()]
    .map((name) => [name, rest.label(name)] as const)
    .flatMap(([name, value]) => (value === name || alive.includes(value) ? [] : [value]));
  for (const table of ["leads", "follow_ups", "exceptions"]) {
    for (const row of rest.platform.ledger.all(`SELECT * FROM ${table}`) as Record<string, unknown>[]) {
      const lead = String(table === "leads" ? row.id : row.lead);
      if (living.has(lead) || !live.erased.has(lead)) continue;
      const text = JSON.stringify(row);
      for (const value of gone)
        if (text.includes(`"${value}"`) || row.document !== "{}")
          rest.fail("G14", `the ledger's ${table} still tell of ${value}`);
    }
  }
  for (const name of accounts.keys()) {
    const { disk } = rest.platform.host("account", name);
    const known = disk.query("SELECT 1 FROM sqlite_master WHERE name = 'actions'", []).rows.length > 0;
    const rows = known ? disk.query("SELECT body FROM actions", []).rows : [];
    for (const value of gone.filter((item) => item.includes("@")))
      if (rows.some((row) => String(row.body).includes(`"${value}"`))) rest.fail("G14", `${name} still knows ${value}`);
  }
}

/** G5. */
function checkLinks(
  rest: Rest,
  live: LiveChecks,
  sendings: readonly Sending[],
  accounts: ReadonlyMap<string, CrmAccount>,
): void {
  const { acknowledged, merged } = live;
  for (const [name, node] of rest.nodes) {
    if (node.role === "alias" && !node.acknowledged) rest.fail("G5", `${rest.label(name)} is still on its way`);
    if (node.role === "alias" && rest.rootOf(name) === null) rest.fail("G5", `${rest.label(name)} leads nowhere`);
  }
  const component = components(rest, sendings, merged, accounts);
  for (const { root, log } of rest.roots) {
    for (const entry of log) {
      if (!acknowledged.has(entry.signal.idempotency_key)) continue;
      for (const node of entry.node_of) {
        const at = rest.rootOf(node);
        if (at?.name === root.name || root.apart.some((item) => item.node === node)) continue;
        rest.fail("G5", `${entry.signal.id} links ${rest.label(node)}, which is not part of ${rest.label(root.name)}`);
      }
    }
    const members = [...rest.nodes.keys()].filter((name) => name !== root.name && rest.rootOf(name) === root);
    const said = root.members.filter((name) => rest.nodes.has(name));
    if (canonicalJson(members.sort()) !== canonicalJson(said))
      rest.fail(
        "G5",
        `${rest.label(root.name)} says its members are [${said.map(rest.label)}], but they are [${members.map(rest.label)}]`,
      );
    for (const name of members) {
      if (component(name) !== component(root.name))
        rest.fail("G5", `${rest.label(name)} and ${rest.label(root.name)} are one, and no signal says so`);
    }
  }
}

/** G7: who was said to be two is two, each with their own signals, and what hangs together is a tree that can be cut again. */
function checkWords(rest: Rest, live: LiveChecks): void {
  for (const { a, b } of live.cut) {
    // Who was also said to be one may be either: whose word was heard last is not known out here.
    if (live.merged.length > 0) break;
    // Who comes back after an erasure is somebody new, of whom nobody said anything.
    if (live.erased.has(a) || live.erased.has(b)) continue;
    if (rest.rootOf(a) === rest.rootOf(b))
      rest.fail("G7", `${rest.label(a)} and ${rest.label(b)} were said to be two and are one`);
  }
  for (const { root, log } of rest.roots) {
    if (root.partings.length > 0) rest.fail("G12", `a part of ${rest.label(root.name)} is still on its way`);
    if (root.doubts.length > 0) rest.fail("G12", `who belongs to ${rest.label(root.name)} is still in doubt`);
    if (!spans(root.ties, [root.name, ...root.members]) || root.ties.length !== root.members.length)
      rest.fail(
        "G7",
        `[${[root.name, ...root.members].map(rest.label)}] are no tree: ${root.ties.map(({ a, b }) => `${rest.label(a)}–${rest.label(b)}`)}`,
      );
    for (const entry of log) {
      const [first] = entry.node_of;
      if (first !== undefined && rest.rootOf(first) !== root)
        rest.fail("G7", `${entry.signal.id} lies at ${rest.label(root.name)}, and its person is ${rest.label(first)}`);
    }
  }
}

function components(
  rest: Rest,
  sendings: readonly Sending[],
  merged: LiveChecks["merged"],
  accounts: ReadonlyMap<string, CrmAccount>,
): (name: string) => string {
  const parent = new Map<string, string>();
  const find = (name: string): string => {
    const up = parent.get(name);
    return up === undefined || up === name ? name : find(up);
  };
  for (const { a, b } of merged) parent.set(find(a), find(b));
  // Said of two people, it ties the two nodes that the question was about: a later split may part these from the roots that were named.
  const said = new Set(merged.map(({ at }) => at));
  for (const { root } of rest.roots)
    for (const { a, b, authority } of root.ties)
      if (authority.type === "person" && said.has(authority.at)) parent.set(find(a), find(b));
  // What a CRM said of its own records.
  const records = new Set([...accounts.values()].flatMap(({ people }) => [...people]));
  for (const { root } of rest.roots)
    for (const { a, b, over, authority } of root.ties)
      if (authority.type === "receipt" && records.has(over.value.slice(0, 15))) parent.set(find(a), find(b));
  const sent = new Set(sendings.map((sending) => sending.signal.idempotency_key));
  for (const { log } of rest.roots) {
    for (const entry of log) {
      if (!sent.has(entry.signal.idempotency_key)) rest.fail("G1", `${entry.signal.id} was never sent`);
      const [first, ...others] = entry.node_of;
      for (const other of others) if (first !== undefined) parent.set(find(other), find(first));
    }
  }
  return find;
}

/** G6. */
function checkFold(rest: Rest, root: Root, log: readonly LogEntry[]): void {
  const inOrder = log
    .map((entry) => entry.signal)
    .sort((a, b) => a.occurred_at - b.occurred_at || (a.idempotency_key < b.idempotency_key ? -1 : 1));
  const folded = canonicalJson(inOrder.reduce(foldSignal, emptyLead));
  if (folded !== canonicalJson(root.lead))
    rest.fail(
      "G6",
      `the lead of ${rest.label(root.name)} is not the fold of its signals: ${canonicalJson(root.lead)} against ${folded}`,
    );
}

/** G12: nothing is stuck. */
function checkObligations(rest: Rest, root: Root): void {
  const name = rest.label(root.name);
  if (root.links.length > 0) rest.fail("G12", `${name} still has links to make and no alarm`);
  for (const item of root.undecided) {
    if (!item.waiting) rest.fail("G12", `${item.key} at ${name} is undecided and no alarm stands`);
    else if (emailOf(root.lead) !== undefined) rest.fail("G12", `${item.key} waits for an address that ${name} has`);
  }
  for (const { action } of unknownRecords(root)) rest.fail("G12", `${action.key}'s record is not known as ${name}'s`);
  for (const item of root.follow_ups) {
    if (item.state !== "open") continue;
    if (item.assign !== undefined) rest.fail("G12", `${item.id} at ${name} waits to hear whose turn it is`);
    if (root.lead.consent?.value === false) rest.fail("G11", `${item.id} is open, and ${name} has said no`);
    for (const action of item.actions)
      if (action.state === "done" && action.revision < item.revision)
        rest.fail("G12", `${action.key} does not show what is new since revision ${action.revision}`);
  }
}

/** G9: nobody is said to have changed a task that nobody has: it would be left alone from then on, and by an undo. */
function checkTouched(rest: Rest, root: Root, accounts: ReadonlyMap<string, CrmAccount>): void {
  for (const { id, touched, actions } of root.follow_ups) {
    if (touched?.startsWith("somebody changed its task") !== true) continue;
    const keys = new Set(actions.map((action) => action.key));
    const tasks = [...accounts.values()].flatMap((account) => account.tasks.filter((task) => keys.has(task.key)));
    if (!tasks.some((task) => task.typed.size > 0)) rest.fail("G9", `${id}: ${touched}, and nobody has`);
  }
}

/** Everybody holds what the team object says they hold, and nobody is counted for what is over. */
function checkTeam(rest: Rest): void {
  const items = new Map<string, Assigned>();
  for (const host of rest.platform.hostsOf("team")) {
    const rows = host.disk.query("SELECT * FROM assigned", []).rows as unknown as Assigned[];
    for (const item of rows) items.set(item.follow_up, item);
  }
  for (const { root } of rest.roots) {
    for (const { id, state, holder, assigned_by } of root.follow_ups) {
      const item = items.get(id);
      if (state !== "open") {
        if (item !== undefined && item.released_at === null)
          rest.fail("G12", `${id} is closed, and ${holder} is counted for it`);
      } else if (item === undefined)
        rest.fail("G12", `${id} is held by ${holder}, and the team does not know (${assigned_by})`);
      else if (item.holder !== holder) rest.fail("G12", `${id} is held by ${holder}, and the team says ${item.holder}`);
    }
  }
}

function checkFollowUps(
  rest: Rest,
  live: LiveChecks,
  root: Root,
  log: readonly LogEntry[],
  policy: Policy,
  accounts: ReadonlyMap<string, CrmAccount>,
): void {
  const name = rest.label(root.name);
  const open = new Map<string, number>();
  for (const item of root.follow_ups) {
    if (item.state === "open") {
      const scope = policy.one_open_per === "lead" ? "lead" : item.play;
      open.set(scope, (open.get(scope) ?? 0) + 1);
      if (item.holder === "" || item.due_at <= 0) rest.fail("G12", `${item.id} has no holder or no deadline`);
    }
    if (item.actions.length !== accounts.size) rest.fail("G12", `${item.id} has ${item.actions.length} actions`);
    for (const action of item.actions) checkAction(rest, item, action, accounts.get(action.account));
    // Since a split the one that stayed may be the other person's, and that one may have been erased.
    const earlier =
      live.erased.size > 0 ||
      rest.roots
        .flatMap((other) => other.root.follow_ups)
        .some(
          (other) =>
            other.id === item.closed_for &&
            (policy.one_open_per === "lead" || other.play === item.play) &&
            (other.created_at < item.created_at || (other.created_at === item.created_at && other.id < item.id)),
        );
    if (item.closed_because?.startsWith("the same person") === true && !earlier)
      rest.fail("G4", `${item.id} was closed for another one, and it was the earliest`);
  }
  for (const [scope, count] of open)
    if (count > 1) rest.fail("G4", `${name} has ${count} open follow-ups per ${scope}`);
  const asked = log.some((entry) => entry.signal.kind === "demo_requested");
  const reserved = log.some((entry) => entry.signal.consent !== undefined);
  if (asked && !reserved && emailOf(root.lead) !== undefined && root.follow_ups.length === 0)
    rest.fail("G1", `${name} asked for a demo and nobody follows up`);
}

function checkAction(
  rest: Rest,
  followUp: FollowUpRecord,
  action: ActionRecord,
  account: CrmAccount | undefined,
): void {
  const tasks = account?.tasks.filter((task) => task.key === action.key) ?? [];
  if (followUp.state === "open") {
    // One that was refused in the end and came to be all the same is a question for a person already.
    for (const task of tasks)
      if (action.state === "done" && (task.state === "completed" || task.state === "deleted"))
        rest.fail("G12", `${task.id} (${task.key}) was ${task.state} by somebody, and its follow-up is open`);
    if (action.state === "done") {
      if (tasks.every((task) => task.id !== action.receipt?.task_id))
        rest.fail("G12", `${action.key} has a receipt of a task that does not exist`);
    } else if (action.state !== "parked" || action.problem === undefined)
      rest.fail("G12", `${action.key} of an open follow-up is ${action.state} and nothing will move it`);
    return;
  }
  if (action.state === "pending" || action.state === "done")
    rest.fail("G4", `${action.key} of a cancelled follow-up is ${action.state} and nothing will move it`);
  if (action.state !== "parked" && tasks.some((task) => task.state === "open"))
    rest.fail("G4", `${action.key} was cancelled and its task is still open`);
}

/** As the CRM of the simulation numbers those who hold follow-ups. */
const ownerIds: Readonly<Record<string, string>> = { "sam@example.com": "1", "kim@example.com": "2" };

/** G3, seen from the CRM: nothing there that no follow-up answers for, and each task is whose the follow-up is. */
function checkTasks(rest: Rest, live: LiveChecks, accounts: ReadonlyMap<string, CrmAccount>): void {
  const keys = new Map<string, number>();
  const holders = new Map<string, string>();
  const dues = new Map<string, number>();
  for (const { root } of rest.roots) {
    for (const item of root.follow_ups) {
      for (const action of item.actions) {
        keys.set(action.key, (keys.get(action.key) ?? 0) + 1);
        if (item.state !== "open" || action.state !== "done") continue;
        holders.set(action.key, item.holder);
        dues.set(action.key, item.due_at);
      }
    }
  }
  for (const [key, count] of keys) if (count > 1) rest.fail("G4", `${key} stands at ${count} people`);
  // A CRM that refuses to close a task has the last word.
  const refuses = (rest.platform.engine.faults.plan.crm_refuses ?? 0) > 0;
  for (const account of accounts.values()) {
    for (const task of account.tasks) {
      const holder = holders.get(task.key);
      if (holder !== undefined && task.state === "open" && !refuses && ownerIds[holder] !== task.says.ownerId)
        rest.fail("G12", `${task.id} (${task.key}) is ${task.says.ownerId}'s, and ${holder} holds it`);
      const due = dues.get(task.key);
      if (due !== undefined && task.state === "open" && !refuses && due !== task.says.dueAt)
        rest.fail("G12", `${task.id} (${task.key}) is due at ${task.says.dueAt}, and its follow-up at ${due}`);
      if (keys.has(task.key)) continue;
      if (live.erased.size === 0) rest.fail("G3", `${task.id} (${task.key}) belongs to no follow-up`);
      else if (task.state === "open" && !refuses)
        rest.fail("G14", `${task.id} (${task.key}) of an erased person is still open`);
    }
  }
}

/** G8: what everybody reads is what the objects hold. */
function checkLedger(rest: Rest, policy: Policy): void {
  const rows = rest.platform.ledger.all("SELECT * FROM leads") as Record<string, string | number | null>[];
  const byId = new Map(rows.map((row) => [String(row.id), row]));
  for (const { root } of rest.roots) {
    const name = rest.label(root.name);
    const row = byId.get(root.name);
    if (row === undefined) {
      rest.fail("G8", `the ledger does not know ${name}`);
      continue;
    }
    if (row.version !== root.version)
      rest.fail("G8", `the ledger has ${name} at version ${row.version}, its object at ${root.version}`);
    const document = JSON.parse(String(row.document)) as { score?: { at: number }; people?: unknown };
    if (document.score === undefined) {
      rest.fail("G8", `the ledger shows ${name}, who lives, as ${row.lifecycle_state}`);
      continue;
    }
    const { lead } = root;
    const expected = {
      email: emailOf(lead) ?? null,
      name: displayName(lead),
      lifecycle_state: lifecycleOf(lead, (kind) => kindRuleOf(policy, kind).lifecycle),
      lead_score: scoreOf(policy, lead, document.score.at).score.total,
      source: lead.first?.source ?? "",
      last_event_timestamp: lead.last?.at ?? 0,
      idempotency_key: lead.last?.key ?? "",
      merged_into: null,
    };
    for (const [field, value] of Object.entries(expected)) {
      if (row[field] !== value) rest.fail("G8", `the ledger's ${field} of ${name} is ${row[field]}, not ${value}`);
    }
    if (canonicalJson(document.people) !== canonicalJson(peopleOf(root)))
      rest.fail("G8", `the ledger's people of ${name} are not the object's`);
    checkFollowUpRows(rest, root);
  }
  checkExceptionRows(rest, policy);
  for (const [id, row] of byId) {
    if (rest.nodes.get(id)?.role === "root" || row.lifecycle_state === "erased") continue;
    if (row.merged_into === null) rest.fail("G8", `the ledger still shows ${rest.label(id)}, which is no root`);
    else if (rest.rootOf(String(row.merged_into)) !== rest.rootOf(id))
      rest.fail("G8", `the ledger says ${rest.label(id)} became ${rest.label(String(row.merged_into))}`);
  }
}

/** What was written to the CRM word by word, or is on its way there, is the object's own business. */
function shown(item: FollowUpRecord): unknown {
  return item.actions.map(({ written: _inTheCrm, updating: _onItsWay, ...action }) => action);
}

function checkFollowUpRows(rest: Rest, root: Root): void {
  const rows = rest.platform.ledger.all("SELECT id, state, lead, document FROM follow_ups WHERE lead = ?", [
    root.name,
  ]) as {
    id: string;
    state: string;
    document: string;
  }[];
  for (const item of root.follow_ups) {
    const row = rows.find((one) => one.id === item.id);
    if (row === undefined) rest.fail("G8", `the ledger does not show ${item.id} at ${rest.label(root.name)}`);
    else if (row.state !== item.state)
      rest.fail("G8", `the ledger shows ${item.id} as ${row.state}, not ${item.state}`);
    else if (canonicalJson((JSON.parse(row.document) as { actions: unknown }).actions) !== canonicalJson(shown(item)))
      rest.fail("G8", `the ledger shows other actions of ${item.id} than its object`);
  }
  // Those of an erased person who had the same node before stay, with nothing in them.
  if (rows.filter((row) => row.document !== "{}").length > root.follow_ups.length)
    rest.fail("G8", `the ledger shows follow-ups that ${rest.label(root.name)} has not`);
}

/** Every question that an object has is asked where people look, and no other; that of two people, which both have, once. */
function checkExceptionRows(rest: Rest, policy: Policy): void {
  const rows = rest.platform.ledger.all("SELECT id, state, reason, lead FROM exceptions") as {
    id: string;
    state: string;
    reason: string;
    lead: string;
  }[];
  const shown = new Map(rows.map(({ id, state }) => [id, state]));
  const asked = new Map<string, readonly string[]>();
  for (const { root } of rest.roots) {
    if (withFieldQuestions(root, policy, rest.platform.engine.now) !== root)
      rest.fail("G12", `what is asked about the fields of ${rest.label(root.name)} is not what they raise`);
    for (const { id, state } of projectionOf(root, [], policy, rest.platform.engine.now).exceptions) {
      const others = asked.get(id) ?? [];
      if (others.length > 0 && /^ex_(de|fc)_/.test(id))
        rest.fail("G8", `${id} is asked of ${rest.label(root.name)} and of somebody else`);
      asked.set(id, [...others, state]);
    }
  }
  for (const [id, states] of asked) {
    const state = shown.get(id) ?? "nothing";
    // Whether two people are one is asked of both: answered by what joins one of them, it stands open at the other, and nobody asks.
    if (state === "closed" && !/^ex_(de|fc|fu)_/.test(id)) continue;
    if (!states.includes(state)) rest.fail("G8", `the ledger shows ${id} as ${state}, not ${states.join(" or ")}`);
  }
  for (const { id, state, reason, lead } of rows)
    if (state === "open" && !asked.has(id))
      rest.fail("G8", `the ledger asks ${id} (${reason} of ${rest.label(lead)}), and nobody has that question`);
}

/** History holds every applied signal, and a decision on each that does not wait. */
function historyOf(platform: Platform): readonly JournalEntry[] {
  const chunks = platform.ledger.all("SELECT entries FROM journal") as { entries: string }[];
  const entries = chunks.flatMap((chunk) => JSON.parse(chunk.entries) as JournalEntry[]);
  for (const text of platform.bucket.values()) {
    for (const line of text.split("\n")) if (line !== "") entries.push(JSON.parse(line) as JournalEntry);
  }
  return entries;
}

/** From the policy, its signals and what history says it was made of, each decision comes out in the same bytes. */
function checkDecisions(rest: Rest, entries: readonly JournalEntry[], policy: Policy): void {
  const signals = new Map<string, Signal>();
  for (const entry of entries) if (entry.type === "signal") signals.set(entry.signal.idempotency_key, entry.signal);
  for (const entry of entries) {
    if (entry.type !== "decision" || entry.inputs === undefined) continue;
    const { decision, inputs } = entry;
    const made = decision.signals.flatMap((key) => signals.get(key) ?? []);
    // Of somebody who was erased.
    if (made.length < decision.signals.length) continue;
    const { lead, lead_id: leadId, follow_ups: followUps, approvals } = inputs;
    const again = decide({ policy, lead, leadId, followUps, approvals, signals: made, now: decision.at });
    if (canonicalJson(again.decision) !== canonicalJson(decision))
      rest.fail("G10", `${decision.id} does not come out the same again`);
  }
}

function checkHistory(rest: Rest, policy: Policy): void {
  const entries = historyOf(rest.platform);
  checkDecisions(rest, entries, policy);
  const signals = new Set<string>();
  const decided = new Set<string>();
  for (const entry of entries) {
    if (entry.type === "signal") signals.add(entry.signal.idempotency_key);
    else for (const key of entry.decision.signals) decided.add(key);
  }
  for (const { root, log } of rest.roots) {
    for (const { signal } of log) {
      const key = signal.idempotency_key;
      if (!signals.has(key)) rest.fail("G10", `history lacks the signal ${key}`);
      if (!decided.has(key) && !root.undecided.some((item) => item.key === key))
        rest.fail("G10", `history lacks a decision on ${key}`);
    }
  }
}

function nodeOf(host: Host): Node {
  return storeOf(host).node;
}

/** Reads an object's disk with the product's own store, as a new incarnation would. */
function storeOf(host: Host): { readonly node: Node; readonly log: readonly LogEntry[] } {
  const { disk } = host;
  const storage = {
    sql: {
      exec: (query: string, ...bindings: unknown[]) => {
        const { rows } = disk.query(query, bindings);
        return { toArray: () => rows };
      },
    },
    kv: { get: (key: string) => disk.kv.get(key) },
  };
  const store = new IdentityStore(storage as unknown as DurableObjectStorage);
  const node = store.load();
  return { node, log: store.entriesAfter(0) };
}
