/** What the ledger shows of an identity: rows computed from its state. Pure. */
import { digest } from "../crypto.ts";
import { assign } from "../decide/assign.ts";
import { kindRuleOf, type Policy } from "../decide/policy.ts";
import { scoreOf } from "../decide/score.ts";
import type { Decision, Signal } from "../model.ts";
import { displayName, emailOf, lifecycleOf } from "../resolve/lead.ts";
import { type Apart, peopleOf, type Root } from "../resolve/node.ts";

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
  | { readonly type: "decision"; readonly lead: string; readonly decision: Decision };

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
        reasons: item.reasons,
        actions: item.actions,
        closed_because: item.closed_because,
      }),
    })),
    exceptions: exceptionsOf(root, policy),
    journal: [
      ...signals.map((signal) => `{"type":"signal","lead":${JSON.stringify(root.name)},"signal":${signal}}`),
      ...root.unprojected.decisions.map((decision) => journalled({ type: "decision", lead: root.name, decision })),
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

const dayMs = 86_400_000;

/** The same whoever of the two has the question, and whatever they have become part of since. */
export function conflictId({ from, node }: Pick<Apart, "from" | "node">): string {
  return `ex_${digest(...[from, node].sort())}`;
}

function exceptionsOf(root: Root, policy: Policy): readonly ExceptionRow[] {
  const rows: ExceptionRow[] = [];
  const firstTeam = Object.values(policy.teams)[0]?.members ?? [];
  const owner = assign(firstTeam, root.name);
  const base = { version: root.version, lead: root.name, owner, state: "open" } as const;
  for (const item of root.follow_ups) {
    if (item.state === "open" && item.actions.length === 0) {
      const document = JSON.stringify({ follow_up: item.id, play: item.play });
      rows.push({
        ...base,
        id: `ex_${item.id}`,
        reason: "no_crm_connected",
        owner: item.holder,
        raised_at: item.created_at,
        due_at: item.due_at,
        document,
      });
    }
    for (const action of item.actions) {
      if (action.state !== "parked") continue;
      const document = JSON.stringify({
        follow_up: item.id,
        action: action.key,
        crm: action.crm,
        problem: action.problem,
      });
      rows.push({
        ...base,
        id: `ex_${action.key}`,
        reason: "crm_refused",
        owner: item.holder,
        raised_at: item.created_at,
        due_at: item.due_at,
        document,
      });
    }
  }
  const raised = new Set(root.apart.map(conflictId));
  const conflicts = [...root.apart, ...root.unprojected.closed.filter((item) => !raised.has(conflictId(item)))];
  for (const item of conflicts) {
    if (item.reason === "kept_apart" || item.reason === "split" || item.reason === "said_by_a_person") continue;
    const { identifier, other, reason: guard, node, by, settled_by, settled_at } = item;
    const document = JSON.stringify({
      identifier_type: identifier.type,
      other,
      node,
      guard,
      by,
      settled_by,
      settled_at,
    });
    rows.push({
      ...base,
      id: conflictId(item),
      state: item.state === "open" && root.apart.includes(item) ? "open" : "closed",
      reason: "link_conflict",
      raised_at: item.at,
      due_at: item.at + dayMs,
      document,
    });
  }
  for (const decision of root.unprojected.decisions) {
    if (decision.outcome !== "held") continue;
    const document = JSON.stringify({
      decision: decision.id,
      reasons: decision.reasons.slice(0, 3),
      play: decision.play,
    });
    rows.push({
      ...base,
      id: `ex_${decision.id}`,
      reason: "held",
      raised_at: decision.at,
      due_at: decision.at + dayMs,
      document,
    });
  }
  return rows;
}
