/** What leaves: a follow-up and its lead become a command for a CRM, in words a seller can act on. Pure. */
import type { CrmPerson, CrmTask, EnrolCommand, TaskCommand, Told } from "../../connectors/contract.ts";
import type { Policy } from "../decide/policy.ts";
import { displayName, emailOf, type LeadFold, recordIdsOf } from "../resolve/lead.ts";
import { type ActionRecord, type FollowUpRecord, ownLead, peopleOf, type Root } from "../resolve/node.ts";
import { isCrm, isTask } from "../resolve/targets.ts";

/** A command still without its owner's CRM id: the account object knows how its CRM numbers people. */
export interface Outgoing {
  readonly command: TaskCommand;
  /** E-mail address of the holder. */
  readonly holder: string;
}

export function createTask(
  policy: Policy,
  root: Root,
  followUp: FollowUpRecord,
  action: ActionRecord,
  leadLink: string,
): Outgoing {
  // What was told once is told again: an earlier attempt may have made it.
  const first = { ...followUp, ...followUp.opened };
  const task = action.written ?? taskOf(policy, root, first, action, leadLink);
  const told = toldOf(root, first, action, leadLink, first.created_at);
  return {
    command: { type: "create_task", key: action.key, person: personOf(root, action), task, ...told },
    holder: first.holder,
  };
}

function taskOf(policy: Policy, root: Root, followUp: FollowUpRecord, action: ActionRecord, leadLink: string): CrmTask {
  const play = policy.plays[followUp.play];
  return {
    subject: subjectOf(play?.subject ?? "Follow up with {name}", nameIn(root, action), followUp),
    body: bodyOf(root, followUp, action, leadLink),
    dueAt: followUp.due_at,
    priority: followUp.priority,
    type: play?.type ?? "todo",
  };
}

/** What the task that stands should say now; written only where it still says what was written before (G9). */
export function updateTask(
  policy: Policy,
  root: Root,
  followUp: FollowUpRecord,
  action: ActionRecord,
  leadLink: string,
  now: number,
): Outgoing {
  const { revision, task, holder } = action.updating ?? {
    revision: followUp.revision,
    task: taskOf(policy, root, followUp, action, leadLink),
    holder: followUp.holder,
  };
  const { owner_id } = action.receipt ?? {};
  // Where a crash took what was written, it is what the follow-up was before its first change.
  const { ownerId = owner_id, ...rest } =
    action.written ?? taskOf(policy, root, { ...followUp, ...followUp.opened }, action, leadLink);
  const before = ownerId === undefined ? rest : { ...rest, ownerId };
  const key = `${action.key}-u${revision}`;
  const taskId = action.receipt?.task_id ?? "";
  const told = toldOf(root, followUp, action, leadLink, now);
  return { command: { type: "update_task", key, taskId, before, task, ...told }, holder };
}

export function closeTask(root: Root, followUp: FollowUpRecord, action: ActionRecord, leadLink: string): Outgoing {
  // Some reasons are sentences.
  const note = `Closed by Baton: ${(followUp.closed_because ?? "no longer needed").replace(/\.$/, "")}.`;
  const told = toldOf(root, followUp, action, leadLink, followUp.closed_at ?? followUp.created_at);
  return {
    command: { type: "close_task", key: `${action.key}-close`, taskId: action.receipt?.task_id ?? "", note, ...told },
    holder: followUp.holder,
  };
}

/** The person is put into the play's sequence there; null where it has none, or no record of theirs is known. */
export function enrol(policy: Policy, root: Root, followUp: FollowUpRecord, action: ActionRecord): EnrolCommand | null {
  const { crm, account, key } = action;
  if (!isCrm(crm)) return null;
  const step = policy.plays[followUp.play]?.sequence?.[crm];
  const task = followUp.actions.find((other) => isTask(other) && other.account === account);
  const personId = task?.receipt === undefined ? undefined : (peopleOf(root)[crm] ?? task.receipt.person_id);
  if (step === undefined || personId === undefined || personId === "") return null;
  const { sequence, sender = followUp.holder } = step;
  return { type: "enrol", key, personId, sequence, sender, since: followUp.created_at };
}

function toldOf(
  root: Root,
  { id, play, state, holder, tell, actions }: FollowUpRecord,
  { crm, written }: ActionRecord,
  link: string,
  at: number,
): { readonly told?: Told } {
  if (isCrm(crm)) return {};
  const tasks = actions.flatMap((action) =>
    action.receipt !== undefined && isTask(action) ? [{ crm: action.crm, task_id: action.receipt.task_id }] : [],
  );
  const subject = state === "done" && written !== undefined ? { subject: written.subject } : {};
  const urgent = tell === undefined ? {} : { tell };
  return { told: { at, follow_up: id, lead: root.name, play, state, holder, ...urgent, link, tasks, ...subject } };
}

/** For whom a task is. */
export function personOf(root: Root, action: ActionRecord): CrmPerson {
  if (action.anonymous) return { lead: root.name };
  const lead = ownLead(root);
  const knownId = isCrm(action.crm) ? (peopleOf(root)[action.crm] ?? knownIn(lead, action)) : undefined;
  const email = emailOf(lead);
  const fields = lead.fields;
  const company = fields.company?.value ?? lead.account?.value.name;
  return {
    lead: root.name,
    ...(knownId === undefined ? {} : { knownId }),
    ...(email === undefined ? {} : { email }),
    ...(fields.phone === undefined ? {} : { phone: fields.phone.value }),
    ...(fields.first_name === undefined ? {} : { firstName: fields.first_name.value }),
    ...(fields.last_name === undefined ? {} : { lastName: fields.last_name.value }),
    ...(company === undefined ? {} : { company }),
    ...(fields.job_title === undefined ? {} : { jobTitle: fields.job_title.value }),
  };
}

/** An id of the person that a signal brought along: the CRM's own webhooks do. */
function knownIn(lead: LeadFold, action: ActionRecord): string | undefined {
  return isCrm(action.crm) ? recordIdsOf(lead, action.crm)[0] : undefined;
}

/** Who it is, and where they work. */
export function whoOf(lead: LeadFold): string {
  const company = lead.fields.company?.value ?? lead.account?.value.name;
  return company === undefined ? displayName(lead) : `${displayName(lead)} (${company})`;
}

function nameIn({ lead }: Root, { anonymous }: ActionRecord): string {
  return anonymous ? "a lead" : whoOf(lead);
}

/** What a play calls its follow-up with whoever `name` names. */
export function subjectOf(template: string, name: string, followUp: FollowUpRecord): string {
  const what = withoutRoute(followUp.reasons[0]?.text ?? "");
  // One pass and a function: what stands in a name is never read as a placeholder or as a pattern of `replace`.
  const subject = template.replace(/\{(name|what)\}/g, (_all, word: string) => (word === "name" ? name : what));
  return subject.slice(0, 250).toWellFormed();
}

/** Which rule of the policy it was is nothing to a seller. */
export function withoutRoute(reason: string): string {
  return reason.replace(/ \(route “.*”\)$/, "");
}

function bodyOf(root: Root, followUp: FollowUpRecord, action: ActionRecord, leadLink: string): string {
  const lead = ownLead(root);
  const fields = lead.fields;
  const who = [displayName(lead), fields.job_title?.value, fields.company?.value ?? lead.account?.value.name].filter(
    (part) => part !== undefined,
  );
  const reach = [emailOf(lead), fields.phone?.value].filter((part) => part !== undefined);
  const touch = lead.first_touch?.value;
  const [why, ...points] = followUp.reasons;
  const lines = [
    ...(action.anonymous ? [] : [`Who: ${who.join(", ")}`, `Reach: ${reach.join(", ")}`]),
    `Why now: ${why?.text ?? followUp.play}`,
    "",
    "What they did:",
    ...points
      .slice(0, 8)
      .map(
        (reason) =>
          `• ${reason.text}${reason.points === undefined ? "" : ` (${reason.points > 0 ? "+" : ""}${reason.points})`}`,
      ),
    ...(touch?.utm_source === undefined
      ? []
      : [
          "",
          `Came from: ${[touch.utm_source, touch.utm_medium, touch.utm_campaign].filter((part) => part !== undefined).join(" / ")}`,
        ]),
    "",
    ...(isCrm(action.crm) ? [] : [`Held by: ${followUp.holder}`]),
    `Due: ${new Date(followUp.due_at).toISOString()}`,
    ...(followUp.tell === undefined ? [] : [`Urgent: ${followUp.tell} knows of it.`]),
    `All signals and the reasons: ${leadLink}`,
  ];
  return lines.join("\n");
}
