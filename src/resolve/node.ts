/**
 * The state of one identity object, and what a signal, a decision and a receipt do to it, as pure functions. How two states
 * become one, and one two, is told in `merge.ts` and `split.ts`. The object (`objects/identity.ts`) loads a node, calls these,
 * commits, and does the calls that they ask for.
 *
 * A node belongs to one identifier. It is unused, or the *root* of a person (holds the state), or an *alias* that points
 * to another node (DESIGN §6.1–6.2). Stored shape: the snapshot of this type in the object's `node` key, and behind it the
 * tail of the log, one row per signal applied since.
 */

import type { CrmTask } from "../../connectors/contract.ts";
import { digest } from "../crypto.ts";
import type { Taken } from "../decide/answerable.ts";
import { type Answer, type FollowUpFact, waitingAfter } from "../decide/decide.ts";
import { type Approval, isForConsent } from "../decide/hold.ts";
import type {
  Assignment,
  CrmName,
  Decision,
  FollowUp,
  Identifier,
  Reason,
  Receipt,
  Signal,
  TargetName,
} from "../model.ts";
import { rankOf } from "../translate/normalise.ts";
import type { FieldQuestion } from "./field-questions.ts";
import { type Authority, weightOf } from "./guard.ts";
import { emptyLead, foldSignal, identifierValues, type LeadFold } from "./lead.ts";
import type { ShownRecord } from "./shown.ts";
import { isCrm } from "./targets.ts";
import type { Tie } from "./ties.ts";

export type Node = { readonly role: "unused" } | Alias | Root | Tombstone;

/** What an object remembers of splits and of an erasure, whatever role it has at the time. */
export interface Memory {
  /** Splits that made this node a root: a repeated call must not do so again. */
  readonly restored?: readonly string[];
  /** Signals of this node's erased person that happened before this instant are swallowed (DESIGN §6.7). */
  readonly erased_at?: number;
}

/** Nameless: what is left of an erased person's node, until late signals can no longer come. */
export type Tombstone = Memory & {
  readonly role: "erased";
  readonly erased_at: number;
  readonly until: number;
  /** A new person at this node continues from this version, so that rows of the ledger only move forward. */
  readonly epoch: number;
};

export type Alias = Memory & {
  readonly role: "alias";
  readonly parent: string;
  /** Version of the person's state at which the pointer was set: an older call does not move it. */
  readonly epoch: number;
} & (
    | { readonly acknowledged: true }
    /** Sealed: this root lost a merge and its state is on its way to the parent. */
    /** `joins`: when whoever was joined had last been erased, 0 if never; not there any more once sent on. */
    | { readonly acknowledged: false; readonly sealed: Root; readonly joins?: number }
  );

/** A CRM account, or an outlet, that the workspace's follow-ups go to. */
export interface Target {
  readonly crm: TargetName;
  /** Name of the account object. */
  readonly account: string;
  /** Of a CRM: not the task, but what is done with the person's record when it stands. */
  readonly step?: "sequence";
  /** Of an outlet: the name by which plays call it. */
  readonly outlet?: string;
  /** Of an outlet: it is not told who the person is. */
  readonly anonymous?: true;
}

/** One write that carries a follow-up into one CRM account, or tells an outlet of it. */
export interface ActionRecord extends Target {
  readonly key: string;
  readonly state: "pending" | "done" | "cancelled" | "parked";
  readonly retry_at: number;
  readonly attempts: number;
  readonly receipt?: Receipt;
  /** Why the CRM refused it in the end; stays when it was tried again. */
  readonly problem?: string;
  /** How often a person had it tried again after the CRM had refused it. */
  readonly again?: number;
  /** How often it went to another identity, with a merge or a split: whoever has it now has the highest count. */
  readonly moves?: number;
  /** Revision of the follow-up that the CRM shows. */
  readonly revision: number;
  /** The record that the receipt names was looked at: it is an identifier of this person, or somebody else's (`records.ts`). */
  readonly recorded?: true;
  /** Revision of the last update of its task that came through; absent where there was none. */
  readonly updated?: number;
  /** It came here with a split, and the account object does not know yet whom to tell of its task. */
  readonly unannounced?: true;
  /** What was written there last: only what still stands as we wrote it may be written again (G9). */
  readonly written?: CrmTask;
  /**
   * Something else than `written` may stand there and be ours all the same: what differs says nothing of a person. Who changes its task is
   * heard of by the account object, which knows what it said (`hearing.ts`).
   */
  readonly unworded?: true;
  /**
   * An update that was sent, and nobody has said how it came out. It is asked about again before a newer one goes: what it may have written
   * would look like a person's word to that one.
   */
  readonly updating?: { readonly revision: number; readonly task: CrmTask; readonly holder: string };
}

export interface FollowUpRecord extends FollowUp {
  readonly actions: readonly ActionRecord[];
  /** How the holder was found; absent while that is still asked. */
  readonly assigned_by?: string;
  /** The team object knows that it is closed. */
  readonly released?: true;
  /** Somebody gave it to somebody else, and the team object does not know yet. */
  readonly reassigned?: true;
  /** What came of it, where it was done. */
  readonly outcome?: string;
  readonly closed_at?: number;
  /** Since it was found open after what it had promised: that instant, and who held it. A question from then on (`overdue.ts`). */
  readonly overdue?: { readonly since: number; readonly holder: string };
  /**
   * How it was before its first change, where a CRM may not have been told of it by then, or what it was told is not known any more:
   * that is told first, whoever asks after a crash, and what changed since follows as an update.
   */
  readonly opened?: Pick<FollowUp, "holder" | "play" | "due_at" | "priority" | "reasons" | "revision">;
  /** What people said of it, the latest last; the last few. */
  readonly words?: readonly Utterance[];
  /** What a person has done with it, in words: who undoes what the policy did leaves it. */
  readonly touched?: string;
  /** What people have changed on its tasks in a CRM, and when: nothing but a newer word of a person's moves it again. */
  readonly theirs?: { readonly owner?: number; readonly due?: number };
  /** To be taken back, unless its tasks show that a person has touched them (`undoing.ts`). */
  readonly undo?: { readonly because: string };
  /** Why it was closed, when it was. */
  readonly closed_because?: string;
  /** Id of the follow-up that stayed, where this one was closed because both were for one person. */
  readonly closed_for?: string;
}

/** What somebody said of a follow-up. */
export interface Utterance {
  /** Address. */
  readonly by: string;
  readonly at: number;
  /** In the past tense, without who: "put it off until …". */
  readonly said: string;
  /** It is theirs by their own word: nobody takes it from them without theirs or a hand-over. */
  readonly claimed?: true;
  /** Name of the press of a button: the same once more changes nothing, whatever has come since. */
  readonly request?: string;
}

/** A signal that was applied and not decided on yet. */
export interface Undecided {
  readonly key: string;
  /** Epoch ms at which its tier is decided. */
  readonly decide_at: number;
  /** True while the decision waits for a way to reach the person. */
  readonly waiting: boolean;
}

/** A decision that a hold stopped, until somebody approves or dismisses it. */
export interface Held {
  /** Of the exception that it is. */
  readonly id: string;
  /** Code of the hold. */
  readonly code: string;
  readonly play: string;
  readonly reasons: readonly Reason[];
  /** Keys of the signals that are decided again when it is approved. */
  readonly signals: readonly string[];
  readonly at: number;
  readonly state: "open" | "closed";
}

/** What somebody said about an exception. */
export interface Said {
  /** Who took it over last. */
  readonly taken?: Taken;
  readonly settled?: { readonly by: string; readonly how: string; readonly note: string };
  readonly at: number;
}

/** What a decision was made of, beside the policy: with it, history can be asked again (G10). */
export interface Inputs {
  readonly lead_id: string;
  readonly lead: LeadFold;
  readonly follow_ups: readonly FollowUpFact[];
  readonly approvals: readonly Approval[];
  readonly company?: LeadFold["kinds"];
}

/** A link that is owed. */
export interface LinkTodo {
  readonly node: string;
  readonly identifier: Identifier;
  readonly since: number;
  /** Node of this person that the other one is linked with, and who says so (see `Tie`). */
  readonly from: string;
  readonly by: string;
  readonly authority: Authority;
}

/** A link that would have joined two people, and was not made (DESIGN §6.2 guard). */
export interface Apart {
  readonly from: string;
  readonly node: string;
  readonly identifier: Identifier;
  /** Root of the other one when it was met. */
  readonly other: string;
  readonly reason: string;
  readonly by: string;
  readonly at: number;
  /** `open`: a person has to look. `kept_apart`: somebody did, and they are two for ever. */
  readonly state: "open" | "kept_apart";
  readonly settled_by?: string;
  readonly settled_at?: number;
}

/** Of a node that an erased person had: signals from before `erased_at` are theirs, and `epoch` was their last version. */
export interface Remembered {
  /** Epoch ms. */
  readonly erased_at: number;
  readonly epoch: number;
}

/**
 * Somebody was taken in over this tie, and may not belong here: both may have changed since the guard was asked, and the node
 * at the other end may have left with a split. To be looked at when everything that is on its way has arrived.
 */
export interface Doubt {
  readonly tie: Tie;
}

/** A part of this person that was split off and is on its way to its own root. */
export interface Parting {
  /** Derived from the choice, so that whoever hears of it twice knows. */
  readonly id: string;
  /** The root it becomes: the smallest of its nodes, so that every pointer still leads to a smaller name. */
  readonly to: string;
  readonly root: Root;
  /** Who stays: some of them may point here by way of a node that leaves. */
  readonly staying: readonly string[];
}

export interface Root extends Memory {
  readonly role: "root";
  readonly name: string;
  readonly workspace: string;
  readonly version: number;
  /** Number of the last log row that this state includes. */
  readonly seq: number;
  readonly lead: LeadFold;
  /** Nodes that are part of this person, the root's own not counted. */
  readonly members: readonly string[];
  /** How they came to be: a tree over all of them, unless merges are under way. */
  readonly ties: readonly Tie[];
  readonly links: readonly LinkTodo[];
  readonly apart: readonly Apart[];
  readonly undecided: readonly Undecided[];
  readonly follow_ups: readonly FollowUpRecord[];
  readonly held: readonly Held[];
  readonly approvals: readonly Approval[];
  /** What CRMs show of this person on their records, by account; absent where nothing was ever written. */
  readonly records?: readonly ShownRecord[];
  /** What is asked about its fields; absent where nothing ever was. */
  readonly questions?: readonly FieldQuestion[];
  /** Domain of the company whose object has this lead's counts. */
  readonly company?: string;
  /** By exception. */
  readonly said: Readonly<Record<string, Said>>;
  /** Roots whose state this one has taken in, each with the version that it had: what comes again is not taken in again. */
  readonly absorbed: Readonly<Record<string, number>>;
  readonly doubts: readonly Doubt[];
  readonly partings: readonly Parting[];
  /** Nodes here that belonged to an erased person before; see `Memory`. */
  readonly erased_nodes: Readonly<Record<string, number>>;
  /** Asked for: everything of this person goes, once its tasks are withdrawn. */
  readonly erase?: {
    readonly id: string;
    readonly at: number;
    readonly by: string;
    /** Nodes that were to be linked: some may point here already. */
    readonly owed: readonly string[];
    /**
     * The version at which nothing is left to withdraw or to gather. From then on nobody is taken in and the ledger is shown nothing
     * more: nodes are set free one by one, and whoever comes to one of them goes on from here, however often the rest is repeated.
     */
    readonly final?: number;
  };
  /** Decisions and tombstones the ledger has not confirmed yet. */
  readonly unprojected: {
    readonly decisions: readonly { readonly decision: Decision; readonly inputs: Inputs }[];
    readonly gone: readonly { name: string; version: number }[];
    /** Questions that were open and are none any more. */
    readonly closed: readonly Apart[];
  };
  /** What the ledger has confirmed. */
  readonly projected: { readonly version: number; readonly seq: number };
}

/** One row of the log: a signal, and what was decided in the same turn (if it was). */
export interface LogEntry {
  readonly seq: number;
  readonly signal: Signal;
  readonly node_of: readonly string[];
  readonly undecided?: Undecided;
  readonly answer?: Answer;
  readonly targets?: readonly Target[];
  /** Epoch ms at which it was applied, where that was more than `queueDelayMs` after its signal came in. */
  readonly applied_at?: number;
  /** Name of the root that wrote the row: the first rows of a node stand before any snapshot. */
  readonly root: string;
}

export function newRoot(name: string, workspace: string): Root {
  return {
    role: "root",
    name,
    workspace,
    version: 0,
    seq: 0,
    lead: emptyLead,
    members: [],
    ties: [],
    links: [],
    apart: [],
    undecided: [],
    follow_ups: [],
    held: [],
    approvals: [],
    said: {},
    absorbed: {},
    doubts: [],
    partings: [],
    erased_nodes: {},
    unprojected: { decisions: [], gone: [], closed: [] },
    projected: { version: 0, seq: 0 },
  };
}

/** A CRM that merged or converted its records says that their ids are one person; nobody knows that better. */
export function authorityOf(signal: Signal, identifier: Identifier): Authority {
  const [strongest] = signal.identifiers;
  const saysCrm =
    (signal.kind === "crm_records_merged" || signal.kind === "crm_lead_converted") &&
    strongest !== undefined &&
    rankOf(strongest.type) === 0 &&
    rankOf(identifier.type) === 0;
  return { type: saysCrm ? "crm" : "signal" };
}

/** Applies one log row. Replaying the tail over a snapshot gives the state that was committed, without deciding anew. */
export function applyEntry(root: Root, entry: LogEntry): Root {
  const { signal } = entry;
  const links = [...root.links];
  for (const [index, identifier] of signal.identifiers.entries()) {
    const node = entry.node_of[index];
    if (node === undefined || node === root.name || root.members.includes(node)) continue;
    const authority = authorityOf(signal, identifier);
    if (root.apart.some((item) => item.node === node && (authority.type === "signal" || item.state === "kept_apart")))
      continue;
    const owed = links.findIndex((link) => link.node === node);
    if (owed >= 0 && weightOf(authority) >= weightOf(links[owed]?.authority ?? authority)) continue;
    links.splice(owed >= 0 ? owed : links.length, 1, {
      node,
      identifier,
      since: signal.received_at,
      // Its first node is missing here only where a claim was never written down: the root itself is what it hangs on.
      from: index === 0 ? root.name : (entry.node_of[0] ?? root.name),
      by: signal.idempotency_key,
      authority,
    });
  }
  const next: Root = {
    ...root,
    version: root.version + 1,
    seq: entry.seq,
    lead: foldSignal(root.lead, signal),
    links,
    undecided: [
      ...root.undecided,
      ...reopenedBy(root, signal),
      ...(entry.undecided === undefined ? [] : [entry.undecided]),
    ],
  };
  return entry.answer === undefined ? next : applyAnswer(next, entry.answer, entry.targets ?? []);
}

/** What was kept back for want of this person's yes is decided on again when they give one. */
function reopenedBy(root: Root, { consent, received_at }: Signal): readonly Undecided[] {
  const isYes = consent?.follow_up === true || Object.values(consent?.purposes ?? {}).includes(true);
  if (!isYes) return [];
  const known = new Set(root.undecided.map(({ key }) => key));
  const kept = root.held.filter(({ state, code }) => state === "open" && isForConsent(code));
  const keys = [...new Set(kept.flatMap(({ signals }) => signals))].filter((key) => !known.has(key));
  return keys.map((key) => ({ key, decide_at: received_at, waiting: false }));
}

/** Takes a decision in: its signals are decided, its follow-up (if any) opens with one action per CRM. */
export function applyAnswer(root: Root, answer: Answer, targets: readonly Target[], company?: LeadFold["kinds"]): Root {
  const { decision, followUp } = answer;
  const decided = new Set(decision.signals);
  const waiting = waitingAfter(decision);
  const undecided = root.undecided.flatMap((item) => {
    if (!decided.has(item.key)) return [item];
    return waiting.has(item.key) ? [{ ...item, waiting: true }] : [];
  });
  const known = enriched(root.follow_ups, decision).map((item) => withdrawnBy(item, decision));
  const follow_ups =
    followUp === undefined ? known : [...known, { ...followUp, actions: actionsFor(followUp, targets) }];
  return {
    ...root,
    version: root.version + 1,
    undecided,
    follow_ups,
    held: heldAfter(root.held, decision),
    unprojected: {
      ...root.unprojected,
      decisions: [...root.unprojected.decisions, { decision, inputs: inputsOf(root, company) }],
    },
  };
}

function withdrawnBy(item: FollowUpRecord, { withdrawn, at }: Decision): FollowUpRecord {
  const no = withdrawn?.find(({ follow_up }) => follow_up === item.id);
  if (no === undefined || item.state !== "open") return item;
  const { assign: _nobodyAnyMore, ...rest } = item;
  return { ...rest, state: "cancelled", closed_because: no.because, closed_at: at };
}

/** What a decision on this root is made of. */
export function inputsOf(root: Root, company?: LeadFold["kinds"]): Inputs {
  return {
    lead_id: root.name,
    lead: root.lead,
    follow_ups: followUpFacts(root),
    approvals: root.approvals,
    ...(company === undefined ? {} : { company }),
  };
}

/** Newer reasons stand first: they are why it is worth another look. */
function enriched(follow_ups: readonly FollowUpRecord[], { enrichment }: Decision): readonly FollowUpRecord[] {
  if (enrichment === undefined) return follow_ups;
  const { follow_up, priority, due_at, promised_at, reasons, tell } = enrichment;
  return follow_ups.map((item) =>
    item.id === follow_up
      ? revised(item, {
          priority,
          due_at: item.theirs?.due === undefined ? due_at : item.due_at,
          reasons: [...reasons, ...item.reasons].slice(0, reasonsMax),
          ...(promised_at === undefined ? {} : { promised_at }),
          ...(tell === undefined ? {} : { tell }),
        })
      : item,
  );
}

/** Its next revision, which its tasks are to show. */
export function revised(item: FollowUpRecord, change: Partial<FollowUpRecord>): FollowUpRecord {
  const { holder, play, due_at, priority, reasons, revision } = item;
  const isTold = item.actions.every(
    ({ state, written }) => (state !== "pending" && state !== "done") || written !== undefined,
  );
  const opened = item.opened ?? { holder, play, due_at, priority, reasons, revision };
  return { ...item, ...(isTold ? {} : { opened }), ...change, revision: revision + 1 };
}

const reasonsMax = 40;
/** Of one lead; older ones that are closed are forgotten here, and stay in the ledger. */
const heldMax = 20;
const heldSignalsMax = 50;

/** One question per hold and play, however many signals it stops; a follow-up of the play, new or open already, answers it. */
function heldAfter(held: readonly Held[], decision: Decision): readonly Held[] {
  const { play, outcome, reasons } = decision;
  if (play === undefined) return held;
  if (outcome === "follow_up" || outcome === "noted")
    return held.map((item) => (item.play === play && item.state === "open" ? { ...item, state: "closed" } : item));
  const [why] = reasons;
  if (outcome !== "held" || why === undefined) return held;
  const open = held.find((item) => item.state === "open" && item.code === why.code && item.play === play);
  if (open !== undefined) {
    const signals = [...new Set([...open.signals, ...decision.signals])].slice(-heldSignalsMax);
    return held.map((item) => (item === open ? { ...item, signals } : item));
  }
  const fresh: Held = {
    id: `ex_${decision.id}`,
    code: why.code,
    play,
    reasons: reasons.slice(0, 3),
    signals: decision.signals.slice(-heldSignalsMax),
    at: decision.at,
    state: "open",
  };
  const closed = held.filter((item) => item.state === "closed");
  const kept = closed.slice(-heldMax);
  return [...held.filter((item) => item.state === "open" || kept.includes(item)), fresh];
}

function actionsFor(followUp: FollowUp, targets: readonly Target[]): readonly ActionRecord[] {
  return targets.map((target) => ({
    ...target,
    key: actionKey(followUp.id, target.account, target.step),
    state: "pending",
    retry_at: followUp.created_at,
    attempts: 0,
    revision: 0,
  }));
}

/** For a follow-up that was made before a CRM was connected. */
export function withTargets(root: Root, id: string, targets: readonly Target[], at: number): Root {
  return changeFollowUp(root, id, (item) =>
    hasCrm(item) ? item : { ...item, actions: [...item.actions, ...actionsFor({ ...item, created_at: at }, targets)] },
  );
}

/** Whether it has, or will have, a task somewhere: who is merely told of it has none. */
export function hasCrm({ actions }: Pick<FollowUpRecord, "actions">): boolean {
  return actions.some(({ crm }) => isCrm(crm));
}

/** Derived from the cause, so that whoever computes it again gets the same (G3). */
export function actionKey(followUpId: string, account: string, step?: "sequence"): string {
  return `${followUpId}-${digest(account, ...(step === undefined ? [] : [step])).slice(0, 8)}`;
}

export function followUpFacts(root: Root): readonly FollowUpFact[] {
  return root.follow_ups.map((item) => {
    const { id, play, state, created_at, closed_at, due_at, promised_at, priority, reasons, revision } = item;
    const isOpen = state === "open";
    return {
      id,
      play,
      state,
      created_at,
      ...(closed_at === undefined ? {} : { closed_at }),
      due_at,
      // Of a closed one nobody asks any more what was promised, or for its reasons.
      ...(isOpen && promised_at !== undefined ? { promised_at } : {}),
      priority,
      reasons: isOpen ? reasons : [],
      revision,
    };
  });
}

/** It goes on at another identity. */
export function moved(followUp: FollowUpRecord): FollowUpRecord {
  const actions = followUp.actions.map((action) => ({ ...action, moves: (action.moves ?? 0) + 1 }));
  return { ...followUp, actions };
}

export function setAction(root: Root, key: string, change: (action: ActionRecord) => ActionRecord): Root {
  const follow_ups = root.follow_ups.map((item) =>
    item.actions.some((action) => action.key === key)
      ? { ...item, actions: item.actions.map((action) => (action.key === key ? change(action) : action)) }
      : item,
  );
  return { ...root, version: root.version + 1, follow_ups };
}

/** `moves`: as the account object knows it. It may have been asked by whoever had the action before, and is told then whose it is. */
export function recordReceipt(root: Root, key: string, receipt: Receipt, moves = 0): Root {
  return setAction(root, key, (action) => ({
    ...action,
    state: "done",
    receipt,
    ...((action.moves ?? 0) > moves ? { unannounced: true as const } : {}),
  }));
}

/** Ids of the person in each CRM, as the latest receipts say. */
export function peopleOf(root: Root): Readonly<Partial<Record<CrmName, string>>> {
  const people: Partial<Record<CrmName, string>> = {};
  const receipts = root.follow_ups
    .flatMap((item) => item.actions.flatMap(({ receipt }) => (receipt === undefined ? [] : [receipt])))
    .sort((a, b) => a.at - b.at || (a.task_id < b.task_id ? -1 : 1));
  for (const { crm, person_id } of receipts)
    if (person_id !== "" && isCrm(crm) && !isFormer(root.lead, crm, person_id)) people[crm] = person_id;
  return people;
}

/** Whether the CRM has merged or converted that record away since. */
export function isFormer(lead: LeadFold, crm: CrmName, id: string): boolean {
  if (crm === "hubspot") return Object.hasOwn(lead.former, `hubspot_contact_id:${id}`);
  // CRM-FACTS §3: a converted lead refuses writes; its contact takes its place.
  if (id.startsWith("00Q") && identifierValues(lead, "salesforce_contact_id").length > 0) return true;
  return ["contact", "lead"].some((type) => Object.hasOwn(lead.former, `salesforce_${type}_id:${id}`));
}

/** The lead without identifiers that a refused link or a split showed to be somebody else's. */
export function ownLead(root: Root): LeadFold {
  const foreign = root.apart.filter(({ node }) => node !== root.name && !root.members.includes(node));
  if (foreign.length === 0) return root.lead;
  const names = new Set(foreign.map(({ identifier }) => `${identifier.type}:${identifier.value}`));
  const own = Object.entries(root.lead.identifiers).filter(([name]) => !names.has(name));
  return { ...root.lead, identifiers: Object.fromEntries(own) };
}

/** The follow-up will not happen; its actions are then withdrawn or, where their task stands, closed. */
export function cancelFollowUp(root: Root, id: string, because: string, at: number): Root {
  return changeFollowUp(root, id, ({ assign: _nobodyAnyMore, ...item }) => ({
    ...item,
    state: "cancelled",
    closed_because: because,
    closed_at: at,
  }));
}

export function changeFollowUp(root: Root, id: string, change: (item: FollowUpRecord) => FollowUpRecord): Root {
  const follow_ups = root.follow_ups.map((item) => (item.id === id ? change(item) : item));
  return { ...root, version: root.version + 1, follow_ups };
}

/**
 * The team object has said whose turn it is, and by which way; `nobody`: the last resort has it, and an exception says so. What became
 * more urgent, or was put off, while that was asked stays so.
 */
export function assigned(
  root: Root,
  id: string,
  found: { readonly holder: string; readonly why: string } & Partial<Pick<Assignment, "play" | "due_at" | "priority">>,
): Root {
  return changeFollowUp(root, id, (item) => {
    const { assign, ...rest } = item;
    if (assign === undefined) return item;
    const { why, ...way } = found;
    const { due_at: _keptAsItIs, priority: _too, ...holding } = way;
    const opened = item.opened === undefined ? {} : { opened: { ...item.opened, ...way } };
    return { ...rest, ...(item.revision > 0 ? holding : way), ...opened, assigned_by: why };
  });
}
