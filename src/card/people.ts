/** Whom the policy lets act on follow-ups: whoever is on a team, manages one, has a role, or answers for a play. Pure. */
import type { Policy } from "../decide/policy.ts";

/** Addresses in the policy's spelling, each once, in its order. */
export function actorsOf(policy: Policy): readonly string[] {
  const all = [
    ...Object.values(policy.teams).flatMap(({ members, manager }) => [
      ...members.map(({ address }) => address),
      ...(manager === undefined ? [] : [manager]),
    ]),
    ...Object.values(policy.roles).flatMap(({ holder, deputy }) => [holder, deputy].filter((one) => one !== null)),
    ...Object.values(policy.plays).flatMap(({ go_live }) =>
      go_live === undefined ? [] : [go_live.owner, go_live.fallback_owner],
    ),
  ];
  const seen = new Set<string>();
  return all.filter((address) => {
    const name = address.toLowerCase();
    return address !== "" && !seen.has(name) && seen.add(name) !== undefined;
  });
}

/** This address as the policy spells it; undefined where it names nobody of this. */
export function actorOf(policy: Policy, address: string): string | undefined {
  const name = address.toLowerCase();
  return actorsOf(policy).find((actor) => actor.toLowerCase() === name);
}
