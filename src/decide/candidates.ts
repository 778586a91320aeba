/**
 * Who could take a follow-up: the members of the play's team who are there, know what is needed and work the lead's territory; then
 * those of the plays it falls back to. Whose turn it is among them, the team object says (`objects/team.ts`). Pure.
 */
import type { Assignment, Level, Signal } from "../model.ts";
import type { LeadFold } from "../resolve/lead.ts";
import { eligible } from "./assign.ts";
import { dueOf } from "./due.ts";
import { factsOf } from "./facts.ts";
import { holds } from "./policy/condition.ts";
import type { Member } from "./policy/people.ts";
import type { Play, Policy } from "./policy.ts";
import { type Presence, presenceOf } from "./time/presence.ts";

export function assignmentsOf(
  policy: Policy,
  lead: LeadFold,
  playName: string,
  trigger: Signal,
  level: Level,
  now: number,
): readonly Assignment[] {
  const assignments: Assignment[] = [];
  let name: string | undefined = playName;
  // The policy's check has seen to it that fallbacks end.
  while (name !== undefined) {
    const play: Play | undefined = policy.plays[name];
    if (play === undefined) break;
    if (play.status !== "draft" || name === playName)
      assignments.push(assignmentOf(policy, lead, name, play, trigger, level, now));
    name = play.fallback;
  }
  return assignments;
}

function assignmentOf(
  policy: Policy,
  lead: LeadFold,
  name: string,
  play: Play,
  trigger: Signal,
  level: Level,
  now: number,
): Assignment {
  const team = policy.teams[play.team];
  const members = team?.members ?? [];
  const time = { calendars: policy.calendars, calendar: team?.calendar };
  const presence = (member: Member): Presence => presenceOf(member, time, now);
  const territory = play.by_territory ? territoryOf(policy, lead) : null;
  const { candidates, excluded } = eligible(members, { skills: play.skills, territory }, presence);
  const preferred = preferredOf(policy, [saidOf(lead)], now);
  return {
    play: name,
    team: play.team,
    due_at: dueOf(policy, play, lead, trigger.received_at, level, now),
    priority: level === "urgent" ? "high" : play.priority,
    candidates,
    excluded,
    ...(preferred === null ? {} : { preferred }),
  };
}

function territoryOf(policy: Policy, lead: LeadFold): string | null {
  const factOf = factsOf({ policy, lead });
  return policy.territories.find((item) => holds(item.when, factOf))?.name ?? null;
}

/** Whose a lead is, by whoever says so: e-mail addresses. */
export interface OwnersSaid {
  readonly record?: string;
  /** Of their company's record. */
  readonly account?: string;
}

/** What signals that name a CRM record have said of it. */
export function saidOf({ fields: { owner, account_owner } }: LeadFold): OwnersSaid {
  return {
    ...(owner === undefined ? {} : { record: owner.value }),
    ...(account_owner === undefined ? {} : { account: account_owner.value }),
  };
}

/**
 * The record's owner wins, then the company's: somebody of ours who is not away, or whoever takes their place. Whoever is believed more
 * comes first in `said`.
 */
export function preferredOf(
  policy: Policy,
  said: readonly OwnersSaid[],
  now: number,
): NonNullable<Assignment["preferred"]> | null {
  const ranked = [
    ...said.map(({ record }) => ({ address: record, why: "record_owner" as const })),
    ...said.map(({ account }) => ({ address: account, why: "account_owner" as const })),
  ];
  for (const { address, why } of ranked) {
    const ours = address === undefined ? null : memberNamed(policy, address.toLowerCase());
    if (ours === null) continue;
    const there = presenceOf(ours.member, { calendars: policy.calendars, calendar: ours.calendar }, now);
    if (there.present || there.why === "outside_hours") return { address: ours.member.address, why };
    const standIn = there.handOverTo === undefined ? null : memberNamed(policy, there.handOverTo.toLowerCase());
    if (standIn !== null && !isAway(policy, standIn, now)) return { address: standIn.member.address, why };
  }
  return null;
}

function isAway(
  policy: Policy,
  { member, calendar }: NonNullable<ReturnType<typeof memberNamed>>,
  now: number,
): boolean {
  const there = presenceOf(member, { calendars: policy.calendars, calendar }, now);
  return !there.present && there.why === "away";
}

function memberNamed(
  policy: Policy,
  address: string,
): { readonly member: Member; readonly calendar: string | undefined } | null {
  for (const { members, calendar } of Object.values(policy.teams)) {
    const member = members.find((item) => item.address.toLowerCase() === address);
    if (member !== undefined) return { member, calendar };
  }
  return null;
}
