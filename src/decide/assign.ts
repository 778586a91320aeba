/** Who of a team could take a follow-up, and who could not and why. Whose turn it is among them: `rota.ts`. Pure. */
import type { Candidate } from "../model.ts";
import type { Member } from "./policy/people.ts";
import type { Presence } from "./time/presence.ts";

export interface Excluded {
  readonly address: string;
  readonly why: "away" | "outside_hours" | "skill" | "territory";
  /** Epoch ms at which they are there again, where that is known. */
  readonly until?: number;
}

export interface Needs {
  /** Every one of them. */
  readonly skills: readonly string[];
  /** Name of the lead's territory; null where it does not matter or is not known: then everybody's will do. */
  readonly territory: string | null;
}

/**
 * Members who know what is needed, work the territory and are there, each rule in the order in which it gives way:
 * - Skills never do, and whoever is away is never asked.
 * - Everybody who works the territory lacks the skill or is away: members without a territory of their own are asked.
 * - Everybody who is left is outside their hours: they are asked all the same, for they will be back.
 *
 * So the territory counts more than the hour: a lead goes to its own people in the morning, not to others at night.
 */
export function eligible(
  members: readonly Member[],
  needs: Needs,
  presence: (member: Member) => Presence,
): { readonly candidates: readonly Candidate[]; readonly excluded: readonly Excluded[] } {
  const { skills, territory } = needs;
  const standings = members.map((member): Standing => {
    // Said first, of whoever it is true of: who is merely not meant for it may still have the lead's company, who is away may not.
    const there = presence(member);
    const out = there.present ? undefined : { why: there.why, ...(there.until === null ? {} : { until: there.until }) };
    if (out?.why === "away") return { member, out };
    if (!skills.every((skill) => member.skills.includes(skill))) return { member, out: { why: "skill" } };
    const isLocal = territory !== null && member.territories.includes(territory);
    if (territory !== null && !isLocal && member.territories.length > 0) return { member, out: { why: "territory" } };
    return out === undefined ? { member, isLocal } : { member, isLocal, later: out };
  });
  const left = standings.filter((one) => "isLocal" in one);
  const hasLocals = left.some(({ isLocal }) => isLocal);
  const able = left.filter(({ isLocal }) => isLocal === hasLocals);
  const isAnybodyIn = able.some(({ later }) => later === undefined);

  const candidates: Candidate[] = [];
  const excluded: Excluded[] = [];
  for (const one of standings) {
    const { address, weight, cap } = one.member;
    if ("out" in one) excluded.push({ address, ...one.out });
    else if (one.isLocal !== hasLocals) excluded.push({ address, why: "territory" });
    else if (one.later !== undefined && isAnybodyIn) excluded.push({ address, ...one.later });
    else candidates.push({ address, weight, cap });
  }
  return { candidates, excluded };
}

type Out = Omit<Excluded, "address">;

type Standing =
  | { readonly member: Member; readonly out: Out }
  /** `later`: outside their hours. */
  | { readonly member: Member; readonly isLocal: boolean; readonly later?: Out };
