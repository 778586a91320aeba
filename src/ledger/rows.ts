/** What the ledger shows of an identity: rows computed from its state. Pure. */

import { digest } from "../crypto.ts";
import { answerableFor } from "../decide/answerable.ts";
import { standingOf } from "../decide/level.ts";
import type { ExceptionReason } from "../decide/policy/people.ts";
import { kindRuleOf, type Policy } from "../decide/policy.ts";
import { scoreOf } from "../decide/score.ts";
import type { Decision, Signal } from "../model.ts";
import { ownerQuestion } from "../resolve/answers.ts";
import { type FieldQuestion, questionsOf } from "../resolve/field-questions.ts";
import { displayName, emailOf, lifecycleOf } from "../resolve/lead.ts";
import {
  type Apart,
  type FollowUpRecord,
  type Held,
  hasCrm,
  type Inputs,
  peopleOf,
  type Root,
} from "../resolve/node.ts";
import { overdueQuestion } from "../resolve/overdue.ts";
import { writtenFields } from "../resolve/shown.ts";
import { isCrm } from "../resolve/targets.ts";

export interface LeadRow {
  readonly id: string;
  readonly version: number;
  readonly email: string | null;
  readonly name: string;
  readonly lifecycle_state: string;
  readonly lead_score: number;
  readonly source: string;
  readonly last_event_timestamp: number;
  readonly idempotency_key: string;
  readonly active_day: number;
  readonly merged_into: string | null;
  readonly document: string;
}

export interface FollowUpRow {
  readonly id: string;
  readonly version: number;
  readonly lead: string;
  readonly play: string;
  readonly state: string;
  readonly holder: string;
  readonly tier: string;
  readonly created_at: number;
  readonly due_at: number;
  readonly document: string;
}

export interface ExceptionRow {
  readonly id: string;
  readonly version: number;
  readonly lead: string;
  readonly reason: string;
  readonly owner: string;
  readonly state: "open" | "closed";
  readonly raised_at: number;
  readonly due_at: number;
  readonly document: string;
}

export type JournalEntry =
  | { readonly type: "signal"; readonly lead: string; readonly signal: Signal }
  /**
   * With what it was made of, beside the policy of its version and its signals: it can be made again to the same bytes (G10). That is
   * left out where the person was erased.
   */
  | { readonly type: "decision"; readonly lead: string; readonly decision: Decision; readonly inputs?: Inputs };

export interface Projection {
  readonly workspace: string;
  readonly leads: readonly LeadRow[];
  readonly follow_ups: readonly FollowUpRow[];
  readonly exceptions: readonly ExceptionRow[];
  /** JSON of `JournalEntry`s. */
  readonly journal: readonly string[];
}

/** `signals`: JSON of those the ledger has not confirmed yet. */
export function projectionOf(root: Root, signals: readonly string[], policy: Policy, now: number): Projection {
  return {
    workspace: root.workspace,
    leads: [leadRow(root, policy, now), ...root.unprojected.gone.map((gone) => goneRow(gone, root.name))],
    follow_ups: root.follow_ups.map((item) => ({
      id: item.id,
      version: root.version,
      lead: root.name,
      play: item.play,
      state: item.state,
      holder: item.holder,
      tier: item.tier,
      created_at: item.created_at,
      due_at: item.due_at,
      document: JSON.stringify({
        trigger: item.trigger,
        accepted_at: item.accepted_at,
        promised_at: item.promised_at,
        overdue_since: item.overdue?.since,
        reasons: item.reasons,
        actions: item.actions.map(({ written: _inTheCrm, updating: _onItsWay, crm, ...action }) => ({
          ...action,
          ...(isCrm(crm) ? { crm } : { type: crm }),
        })),
        priority: item.priority,
        policy_version: item.policy_version,
        assigned_by: item.assigned_by,
        revision: item.revision,
        outcome: item.outcome,
        closed_at: item.closed_at,
        closed_because: item.closed_because,
        touched: item.touched,
      }),
    })),
    exceptions: exceptionsOf(root, policy, now),
    journal: [
      ...signals.map((signal) => `{"type":"signal","lead":${JSON.stringify(root.name)},"signal":${signal}}`),
      ...root.unprojected.decisions.map(({ decision, inputs }) =>
        journalled({ type: "decision", lead: root.name, decision, inputs }),
      ),
    ],
  };
}

function journalled(entry: JournalEntry): string {
  return JSON.stringify(entry);
}

function leadRow(root: Root, policy: Policy, now: number): LeadRow {
  const { lead } = root;
  const { score, reasons } = scoreOf(policy, lead, now);
  const last = lead.last?.at ?? 0;
  const written = writtenFields(root);
  return {
    id: root.name,
    version: root.version,
    email: emailOf(lead) ?? null,
    name: displayName(lead),
    lifecycle_state: lifecycleOf(lead, (kind) => kindRuleOf(policy, kind).lifecycle),
    lead_score: score.total,
    source: lead.first?.source ?? "",
    last_event_timestamp: last,
    idempotency_key: lead.last?.key ?? "",
    active_day: Math.floor(last / 86_400_000),
    merged_into: null,
    document: JSON.stringify({
      fields: lead.fields,
      identifiers: Object.values(lead.identifiers),
      account: lead.account?.value ?? {},
      attribution: lead.first_touch?.value ?? {},
      consent: lead.consent?.value ?? null,
      score: { ...score, reasons, at: now },
      level: standingOf(policy, lead, score, now).level,
      ...(written.length === 0 ? {} : { written }),
      people: peopleOf(root),
    }),
  };
}

/** A lead that became part of another one. Its row stays, without anything personal, and says where to look. */
function goneRow(gone: { readonly name: string; readonly version: number }, into: string): LeadRow {
  return {
    id: gone.name,
    version: gone.version,
    email: null,
    name: "merged",
    lifecycle_state: "merged",
    lead_score: 0,
    source: "",
    last_event_timestamp: 0,
    idempotency_key: "",
    active_day: 0,
    merged_into: into,
    document: "{}",
  };
}

/** The same whoever of the two has the question, and whatever they have become part of since. */
export function conflictId({ from, node }: Pick<Apart, "from" | "node">): string {
  return `ex_${digest(...[from, node].sort())}`;
}

/** A question for a person, before it is known who answers it. */
interface Question {
  readonly id: string;
  readonly reason: ExceptionReason;
  readonly raisedAt: number;
  readonly open: boolean;
  /** Who holds the follow-up that it is about, or answers for the field. */
  readonly holder?: string;
  readonly document: Readonly<Record<string, unknown>>;
}

function exceptionsOf(root: Root, policy: Policy, now: number): readonly ExceptionRow[] {
  const questions = [
    ...root.follow_ups.flatMap((item) => questionsOnFollowUp(item, root.said)),
    ...conflictsOf(root),
    ...root.held.map(questionOnHold),
    ...questionsOf(root).map(questionOnField),
  ];
  return questions.map(({ id, reason, raisedAt, open, holder, document }) => {
    const said = root.said[id];
    const { owner, due_at, next, climbed } = answerableFor(policy, reason, raisedAt, now, {
      taken: said?.taken,
      holder,
    });
    return {
      id,
      version: root.version,
      lead: root.name,
      reason,
      owner,
      state: open && said?.settled === undefined ? "open" : "closed",
      raised_at: raisedAt,
      due_at,
      document: JSON.stringify({
        ...document,
        next,
        climbed,
        ...(said?.taken === undefined ? {} : { taken_by: said.taken.by, taken_at: said.taken.at }),
        ...(said?.settled === undefined ? {} : { ...said.settled, settled_by: said.settled.by, settled_at: said.at }),
      }),
    };
  });
}

/** One that was answered is shown on, closed: its row would stay open for ever. */
function questionsOnFollowUp(item: FollowUpRecord, said: Root["said"]): Question[] {
  const isOpen = item.state === "open";
  const base = { holder: item.holder, raisedAt: item.created_at };
  const questions: Question[] = [];
  const document = { follow_up: item.id, play: item.play };
  const bare = { id: `ex_${item.id}`, open: !hasCrm(item) };
  if (bare.open || said[bare.id] !== undefined)
    questions.push({ ...base, id: bare.id, reason: "no_crm_connected", open: isOpen && bare.open, document });
  const vacant = { id: ownerQuestion(item.id), open: item.assigned_by === "nobody" };
  if (vacant.open || said[vacant.id] !== undefined)
    questions.push({ ...base, id: vacant.id, reason: "no_owner", open: isOpen && vacant.open, document });
  if (item.overdue !== undefined) {
    const { since, holder } = item.overdue;
    const late = { ...document, holder, promised_at: since, closed_at: item.closed_at };
    const id = overdueQuestion(item.id);
    questions.push({ ...base, id, reason: "overdue", raisedAt: since, open: isOpen, document: late });
  }
  for (const { key, crm, outlet, step, state, problem } of item.actions) {
    if (problem === undefined) continue;
    const where = outlet === undefined ? { crm, ...(step === undefined ? {} : { step }) } : { outlet };
    const document = { follow_up: item.id, action: key, ...where, problem };
    const reason = isCrm(crm) ? "crm_refused" : "outlet_refused";
    questions.push({ ...base, id: `ex_${key}`, reason, open: state === "parked", document });
  }
  return questions;
}

function conflictsOf(root: Root): Question[] {
  const asked = root.apart.filter(isAsked);
  const raised = new Set(asked.map(conflictId));
  const closed = root.unprojected.closed.filter((item) => isAsked(item) && !raised.has(conflictId(item)));
  return [...asked, ...closed].map((item) => {
    const { identifier, other, reason: guard, node, by, settled_by, settled_at } = item;
    return {
      id: conflictId(item),
      reason: "link_conflict",
      raisedAt: item.at,
      open: item.state === "open" && root.apart.includes(item),
      document: { identifier_type: identifier.type, other, node, guard, by, settled_by, settled_at },
    };
  });
}

/** What a person has said by themselves is no question, also where it was one before. */
function isAsked({ reason }: Apart): boolean {
  return reason !== "kept_apart" && reason !== "split" && reason !== "said_by_a_person";
}

function questionOnHold({ id, code, play, reasons, signals, at, state }: Held): Question {
  return {
    id,
    reason: "held",
    raisedAt: at,
    open: state === "open",
    // A part of one that a split divided names the same decision.
    document: { decision: id.slice("ex_".length).split("~")[0], code, play, reasons, signals: signals.length },
  };
}

function questionOnField({ id, field, steward, raised_at, options, closed_in }: FieldQuestion): Question {
  return {
    id,
    reason: "field_conflict",
    raisedAt: raised_at,
    open: closed_in === undefined,
    holder: steward,
    document: { field, options },
  };
}
