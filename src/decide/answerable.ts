/**
 * Who has to act on an exception, until when, and who is next: the RACI at work (G12). A function of time, so nothing has to happen
 * for an overdue question to be somebody else's; the sweeper only sees to it that the ledger shows it. Pure.
 */

import type { ExceptionReason } from "./policy/people.ts";
import type { Policy } from "./policy.ts";
import { presenceOf } from "./time/presence.ts";

export interface Answerable {
  /** Address. */
  readonly owner: string;
  /** Epoch ms: when it climbs further, or is simply late. */
  readonly due_at: number;
  /** Address of whoever is next; null where there is nobody above. */
  readonly next: string | null;
  /** How often it has climbed already. */
  readonly climbed: number;
}

const dayMs = 86_400_000;

/** Who has taken a question over, and when. */
export interface Taken {
  /** Address. */
  readonly by: string;
  readonly at: number;
}

/**
 * `holder`: who holds the follow-up that it is about, and answers where the policy names nobody. What somebody has taken is theirs for
 * as long as anybody's, from that moment on, and climbs from there.
 */
export function answerableFor(
  policy: Policy,
  reason: ExceptionReason,
  raisedAt: number,
  now: number,
  { taken, holder }: { readonly taken?: Taken | undefined; readonly holder?: string | undefined } = {},
): Answerable {
  const dueInMs = timeToAnswer(policy, reason);
  const asked = askedInTurn(policy, reason, holder, now);
  const rungAt = (rungs: number, since: number, at: number) =>
    Math.max(0, Math.min(rungs - 1, Math.floor((at - since) / dueInMs)));
  const since = taken?.at ?? raisedAt;
  const chain = taken === undefined ? asked : takenFrom(asked, rungAt(asked.length, raisedAt, taken.at), taken.by);
  const climbed = rungAt(chain.length, since, now);
  return {
    owner: chain[climbed] ?? "",
    due_at: since + (climbed + 1) * dueInMs,
    next: chain[climbed + 1] ?? null,
    climbed,
  };
}

/** Addresses, each once, in the order in which it is theirs. */
function askedInTurn(
  policy: Policy,
  reason: ExceptionReason,
  holder: string | undefined,
  now: number,
): readonly string[] {
  const rule = policy.exceptions[reason];
  const roles = rule === undefined ? [] : [rule.owner, ...rule.escalate_to];
  const named = roles.flatMap((role) => addressOf(policy, role, now) ?? []);
  const asked =
    named.length > 0 ? named : [holder ?? null, ownerOfAll(policy, now)].filter((address) => address !== null);
  return asked.filter((address, index) => asked.indexOf(address) === index);
}

/** It goes back to whoever had it when it was taken, or on to those above whoever took it, where they are one of them. */
function takenFrom(asked: readonly string[], rung: number, by: string): readonly string[] {
  const above = asked.slice(Math.max(rung, asked.indexOf(by) + 1));
  return [by, ...above];
}

/** How long a question of this kind is somebody's before it climbs. */
export function timeToAnswer(policy: Policy, reason: ExceptionReason): number {
  return Math.max(1, policy.exceptions[reason]?.due_in_ms ?? dayMs);
}

/** The role's holder; its deputy where the role is vacant or the holder is on leave. Null where the policy has no such role. */
export function addressOf(policy: Policy, roleName: string, now: number): string | null {
  const role = Object.hasOwn(policy.roles, roleName) ? policy.roles[roleName] : undefined;
  if (role === undefined) return null;
  const { holder, deputy } = role;
  if (holder === null) return deputy;
  return deputy !== null && isAway(policy, holder, now) ? deputy : holder;
}

function isAway(policy: Policy, address: string, now: number): boolean {
  for (const { members, calendar } of Object.values(policy.teams)) {
    const member = members.find((item) => item.address === address);
    if (member === undefined) continue;
    const presence = presenceOf(member, { calendars: policy.calendars, calendar }, now);
    return !presence.present && presence.why === "away";
  }
  return false;
}

/** Who answers where the policy says nothing: revenue operations, or the first team's manager or member. */
function ownerOfAll(policy: Policy, now: number): string | null {
  const [first] = Object.values(policy.teams);
  return addressOf(policy, "revenue_operations", now) ?? first?.manager ?? first?.members[0]?.address ?? null;
}
