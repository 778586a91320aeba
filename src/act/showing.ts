/**
 * What of a lead its record in a CRM is to show, and when it is worth a write. Pure.
 *
 * A write costs a request and rows, so a score that moves is none: the level, the lifecycle state, a follow-up that opens, a no, another record
 * or another policy is, and so is a value of a shared field that came from elsewhere. Then everything is written that the policy gives to the
 * engine in that CRM (`fields`), as of that moment.
 */
import {
  type CarriedField,
  carriedFields,
  type OwnField,
  type RecordField,
  type RecordValue,
  recordFields,
} from "../../connectors/contract.ts";
import { digest } from "../crypto.ts";
import { type FieldOwnership, type FieldPolicy, mayWrite, ownershipOf } from "../decide/fields/policy.ts";
import { heldOf } from "../decide/fields/said.ts";
import { refusalOf } from "../decide/hold.ts";
import { standingOf } from "../decide/level.ts";
import { kindRuleOf, type Policy } from "../decide/policy.ts";
import { scoreOf } from "../decide/score.ts";
import type { CrmName } from "../model.ts";
import { type LeadFold, lifecycleOf, recordIdsOf } from "../resolve/lead.ts";
import { isFormer, type Root, type Target } from "../resolve/node.ts";
import { isUnambiguous } from "../resolve/records.ts";
import { type Returns, recordsOf, type ShownRecord, withRecord, writing } from "../resolve/shown.ts";
import { isCrm } from "../resolve/targets.ts";
import { withoutRoute } from "./outbox.ts";

/** The root with every write that is owed now; the same one where none is. */
export function withRecordsOwed(root: Root, policy: Policy, targets: readonly Target[], now: number): Root {
  if (root.erase !== undefined || root.lead.last === null) return root;
  let facts: Facts | undefined;
  let next = root;
  for (const target of targets) {
    const { crm, account } = target;
    if (!isCrm(crm)) continue;
    const fields = recordFields.filter((field) => isOurs(field, ownershipOf(policy.fields, field), crm));
    const known = recordsOf(root).find((item) => item.account === account);
    const person = fields.length === 0 && known?.returns === undefined ? undefined : personIn(root, target, targets);
    if (person === undefined) continue;
    facts ??= factsOf(root, policy, now);
    // Of somebody who has said no nothing is begun.
    if (facts.saysNo && known === undefined) continue;
    const before = known?.person === person ? known : undefined;
    const carried = carriedTo(crm, root.lead, fields, facts.saysNo, policy.fields);
    const returned = returnedOf(before, carried);
    const occasion = occasionOf(facts, fields, carried);
    if (before?.occasion === occasion && bringsBack(before, returned)) continue;
    const wanted = { ...facts.values, ...carried };
    const values: Partial<Record<RecordField, RecordValue>> = Object.fromEntries(
      fields.flatMap((field) => {
        const value = wanted[field];
        return value === undefined ? [] : [[field, valueFor(field, value, before, policy.fields[field])]];
      }),
    );
    for (const [field, value] of Object.entries(returned) as [CarriedField, string][])
      values[field] = { value, ours: writtenIn(before, field) };
    const key = `fr_${digest(account, person, occasion, String(now))}`;
    const state = "pending";
    const writes = writing(before ?? {}, carried, policy.version);
    // Whoever undoes a version asks the ledger what it has written.
    if (writes.wrote !== before?.wrote) next = { ...next, version: next.version + 1 };
    next = withRecord(next, {
      crm,
      account,
      person,
      key,
      occasion,
      at: now,
      state,
      values,
      retry_at: now,
      ...writes,
      ...(before?.stands === undefined ? {} : { stands: before.stands }),
    });
  }
  return next;
}

/**
 * Whether a lead says something new of a field that is carried into some CRM, or asked about: worth looking at at once, for a value does not
 * wait until its signal is decided on.
 */
export function bringsNews(policy: Policy, before: LeadFold, after: LeadFold): boolean {
  return carriedFields.some((field) => {
    const said = after.fields[field];
    if (said === undefined || said === before.fields[field]) return false;
    const ownership = ownershipOf(policy.fields, field);
    // Under another rule somebody else's word may hold, or be asked about.
    if (ownership?.rule === "ask") return true;
    if (ownership?.rule === "newest_wins" && said.value === before.fields[field]?.value) return false;
    return ownership?.write_to.some((target) => isCrm(target) && isOurs(field, ownership, target)) === true;
  });
}

interface Facts {
  readonly values: Readonly<Record<OwnField, string>>;
  readonly saysNo: boolean;
  readonly followUp: string;
}

function factsOf(root: Root, policy: Policy, now: number): Facts {
  const { lead } = root;
  const { score } = scoreOf(policy, lead, now);
  // What was taken back is no reason.
  const made = root.follow_ups.filter(({ state, undo }) => state !== "cancelled" || undo === undefined);
  const latest = made.toSorted((a, b) => b.created_at - a.created_at || (a.id < b.id ? -1 : 1))[0];
  const saysNo = refusalOf(lead, undefined) !== null;
  return {
    saysNo,
    followUp: latest?.id ?? "",
    values: {
      baton_lead_id: root.name,
      lead_score: String(score.total),
      lead_level: standingOf(policy, lead, score, now).level,
      lifecycle_state: lifecycleOf(lead, (kind) => kindRuleOf(policy, kind).lifecycle),
      lead_source: lead.first?.source ?? "",
      last_event_timestamp: lead.last === null ? "" : String(lead.last.at),
      idempotency_key: lead.last?.key ?? "",
      follow_up_reason: saysNo ? "" : withoutRoute(latest?.reasons[0]?.text ?? ""),
    },
  };
}

/** What a write is for: while it stays the same, nothing is written. */
function occasionOf({ values, saysNo, followUp }: Facts, fields: readonly RecordField[], carried: Carried): string {
  const own = [values.baton_lead_id, values.lead_level, values.lifecycle_state, followUp, String(saysNo)];
  return digest(...own, ...fields, ...Object.values(carried));
}

/** What an undo brings back: not where the policy in force has something to say itself, nor what stands there already. */
function returnedOf(before: ShownRecord | undefined, carried: Carried): Returns {
  const { returns = {} } = before ?? {};
  return Object.fromEntries(
    carriedFields.flatMap((field) => {
      const value = returns[field];
      const isOwed =
        value !== undefined && carried[field] === undefined && writtenIn(before, field).some((one) => one !== value);
      return isOwed ? [[field, value]] : [];
    }),
  );
}

type Carried = Readonly<Partial<Record<CarriedField, string>>>;

/** What may stand there of ours: what is confirmed, and what the last write may have written. */
function writtenIn(before: ShownRecord | undefined, field: RecordField): readonly string[] {
  const both = [before?.stands?.[field], before?.values[field]?.value].filter((one) => one !== undefined);
  return [...new Set(both)];
}

/** Whether the last write does so already, however it came out. */
function bringsBack({ values }: ShownRecord, returned: Returns): boolean {
  return carriedFields.every((field) => returned[field] === undefined || values[field]?.value === returned[field]);
}

/**
 * What this CRM is to be told of its own fields: what holds of the values that others brought. Its own word it has already, and nothing more
 * is carried of somebody who has said no.
 */
function carriedTo(
  crm: CrmName,
  { fields: known }: LeadFold,
  fields: readonly RecordField[],
  saysNo: boolean,
  policy: FieldPolicy,
): Carried {
  const carried: Partial<Record<CarriedField, string>> = {};
  for (const field of carriedFields) {
    const said = known[field];
    const ownership = ownershipOf(policy, field);
    if (saysNo || said === undefined || ownership === undefined || !fields.includes(field)) continue;
    const winner = heldOf(ownership, said)?.winner;
    if (winner !== undefined && winner.system !== crm) carried[field] = winner.value;
  }
  return carried;
}

/** The engine writes its own fields, and shared ones that it may write; never a person's (DESIGN §6.6). Of the CRM's own fields only shared ones. */
function isOurs(field: RecordField, ownership: FieldOwnership | undefined, crm: CrmName): boolean {
  if (ownership === undefined || ownership.owner === "human") return false;
  if (isCarried(field) && ownership.owner !== "shared") return false;
  return ownership.write_to.includes(crm) && mayWrite(ownership, "engine");
}

function isCarried(field: RecordField): field is CarriedField {
  return carriedFields.some((one) => one === field);
}

/**
 * What a person typed over ours stays until there is something newer of ours to be said; in a shared field it stays altogether. Nothing is
 * known of a field that was never written: it is ours where the engine owns it, and a person's where it is shared.
 */
function valueFor(
  field: RecordField,
  value: string,
  before: ShownRecord | undefined,
  ownership: FieldOwnership | undefined,
): RecordValue {
  const isShared = ownership?.owner === "shared";
  const wasLeft = before?.left?.includes(field) === true;
  const written = wasLeft ? [] : writtenIn(before, field);
  const ours = [...new Set([...written, ...(isShared ? [""] : [])])];
  return { value: settled(value, before?.stands?.[field], ownership), ...(ours.length === 0 ? {} : { ours }) };
}

/** A number that moved by less than the policy's `deadband` stays as it was written. */
function settled(value: string, stands: string | undefined, ownership: FieldOwnership | undefined): string {
  const { deadband } = ownership ?? {};
  if (deadband === undefined || stands === undefined || stands === "") return value;
  return Math.abs(Number(value) - Number(stands)) < deadband ? stands : value;
}

/** The person's record in this account, by a receipt of ours or by what a signal said; undefined where neither names one. */
function personIn(root: Root, target: Target, targets: readonly Target[]): string | undefined {
  const { crm, account } = target;
  if (!isCrm(crm)) return undefined;
  const receipts = root.follow_ups
    .flatMap((item) => item.actions.flatMap((action) => (action.account === account ? (action.receipt ?? []) : [])))
    .filter(({ person_id }) => person_id !== "" && !isFormer(root.lead, crm, person_id));
  const latest = receipts.sort((a, b) => b.at - a.at || (a.task_id < b.task_id ? -1 : 1))[0];
  return latest?.person_id ?? (isUnambiguous(crm, targets) ? saidIn(root.lead, crm) : undefined);
}

function saidIn(lead: LeadFold, crm: "hubspot" | "salesforce"): string | undefined {
  return recordIdsOf(lead, crm).find((id) => !isFormer(lead, crm, id));
}
