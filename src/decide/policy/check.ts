/**
 * What the parts of a policy mean to each other: names that exist, routes that can be reached, plays that end, kinds that lead
 * somewhere, people who are there. Each mistake with its path and a sentence. Pure.
 */
import { canonicalJson } from "../../crypto.ts";
import type { Policy } from "../policy.ts";
import { checklistOf, missingOf } from "./checklist.ts";
import { type Condition, passes, type Test } from "./condition.ts";
import { contradictionIn, sizeOf, type Vocabulary, type Work } from "./contradiction.ts";
import type { Route } from "./plays.ts";
import { levels } from "./scoring.ts";

/** Where a lead can be in its life (`LifecycleState`). */
const lifecycles = "unknown subscriber lead engaged trial sales_ready customer churned".split(" ");

export interface Mistake {
  readonly path: readonly (string | number)[];
  /** A sentence for whoever writes policies. */
  readonly message: string;
}

/** How many named things a policy may hold. The lists are bounded by their own schemas. */
const bounds = {
  kinds: 1_000,
  plays: 500,
  calendars: 200,
  teams: 200,
  roles: 500,
  raci: 500,
} as const satisfies Partial<Record<keyof Policy, number>>;

/** Comparisons that a check spends on contradictions, a few tenths of a second; a hand-written policy needs some thousands. */
const comparisonsMax = 2_000_000;

export function mistakesOf(policy: Policy): readonly Mistake[] {
  const many = tooMany(policy);
  if (many.length > 0) return many;
  const work: Work = { left: comparisonsMax };
  return [
    ...unknownNames(policy),
    ...deadRoutes(policy),
    ...lostKinds(policy, work),
    ...loops(policy),
    ...unready(policy),
    ...contradictions(policy, work),
  ];
}

function tooMany(policy: Policy): Mistake[] {
  return Object.entries(bounds).flatMap(([name, most]) => {
    const count = Object.keys(policy[name as keyof typeof bounds]).length;
    return count <= most ? [] : [{ path: [name], message: `There are ${count} of them; at most ${most} are taken.` }];
  });
}

function unknownNames(policy: Policy): Mistake[] {
  const mistakes: Mistake[] = [];
  const need = (known: object, wanted: string | undefined, what: string, path: Mistake["path"]) => {
    if (wanted !== undefined && !Object.hasOwn(known, wanted))
      mistakes.push({ path, message: `There is no ${what} named "${wanted}".` });
  };
  for (const [index, { when, play }] of policy.routes.entries()) {
    need(policy.plays, play, "play", ["routes", index, "play"]);
    need(policy.calendars, when.open, "calendar", ["routes", index, "when", "open"]);
    need(policy.calendars, when.closed, "calendar", ["routes", index, "when", "closed"]);
    for (const [at, kind] of (when.kinds ?? []).entries())
      need(policy.kinds, kind, "kind with a rule", ["routes", index, "when", "kinds", at]);
  }
  for (const [name, play] of Object.entries(policy.plays)) {
    need(policy.teams, play.team, "team", ["plays", name, "team"]);
    need(policy.plays, play.fallback, "play", ["plays", name, "fallback"]);
    need(policy.calendars, play.calendar, "calendar", ["plays", name, "calendar"]);
    need(policy.roles, play.go_live?.exception_route, "role", ["plays", name, "go_live", "exception_route"]);
  }
  const territories = Object.fromEntries(policy.territories.map((item) => [item.name, item]));
  for (const [name, team] of Object.entries(policy.teams)) {
    need(policy.calendars, team.calendar, "calendar", ["teams", name, "calendar"]);
    for (const [index, member] of team.members.entries()) {
      need(policy.calendars, member.calendar, "calendar", ["teams", name, "members", index, "calendar"]);
      for (const wanted of member.territories)
        need(territories, wanted, "territory", ["teams", name, "members", index, "territories"]);
    }
    const twice = twiceIn(team.members.map((member) => member.address.toLowerCase()));
    if (twice !== undefined)
      mistakes.push({
        path: ["teams", name, "members"],
        message: `${twice} is a member twice; give a weight instead.`,
      });
  }
  for (const [name, duty] of Object.entries(policy.raci)) {
    for (const wanted of [...duty.responsible, duty.accountable, ...duty.consulted, ...duty.informed])
      need(policy.roles, wanted, "role", ["raci", name]);
  }
  for (const [reason, rule] of Object.entries(policy.exceptions)) {
    for (const wanted of [rule.owner, ...rule.escalate_to]) need(policy.roles, wanted, "role", ["exceptions", reason]);
  }
  return mistakes;
}

/** Routes without a condition, routes of which an earlier one always takes everything, and names that occur twice. */
function deadRoutes(policy: Policy): Mistake[] {
  const mistakes: Mistake[] = [];
  const names = new Set<string>();
  const live: Reach[] = [];
  for (const [index, route] of policy.routes.entries()) {
    const { max_age_ms: _age, ...conditions } = route.when;
    if (Object.values(conditions).every((value) => value === undefined))
      mistakes.push({
        path: ["routes", index, "when"],
        message: "A route needs a condition: it would match everything.",
      });
    if (names.has(route.name))
      mistakes.push({ path: ["routes", index, "name"], message: `Two routes are named "${route.name}".` });
    names.add(route.name);
    if (route.when.open !== undefined && route.when.open === route.when.closed)
      mistakes.push({
        path: ["routes", index, "when"],
        message: `"${route.when.open}" is never open and closed at once.`,
      });
    if (policy.plays[route.play]?.status === "draft") continue;
    const reach = reachOf(route);
    const before = live.find((earlier) => takesAll(earlier, reach));
    if (before !== undefined)
      mistakes.push({
        path: ["routes", index],
        message: `This route can never be reached: "${before.name}" above it takes everything that would come here.`,
      });
    live.push(reach);
  }
  return mistakes;
}

/** A route as it is compared with others: each part spelled once, for a policy has up to 500 routes and compares all pairs. */
interface Reach {
  readonly name: string;
  readonly when: Route["when"];
  readonly kinds: ReadonlySet<string> | null;
  readonly sustained: string | null;
  /** Everything that `where` asks, all of which must hold. */
  readonly where: ReadonlySet<string>;
}

function reachOf({ name, when }: Route): Reach {
  return {
    name,
    when,
    kinds: when.kinds === undefined ? null : new Set(when.kinds),
    sustained: when.sustained === undefined ? null : canonicalJson(when.sustained),
    where: new Set(Object.entries(when.where ?? {}).map(([fact, asked]) => `${fact} ${canonicalJson(asked)}`)),
  };
}

/** Whether the earlier route holds wherever the later one does; says no where it cannot tell. */
function takesAll(earlier: Reach, later: Reach): boolean {
  const { when: first } = earlier;
  const { when: second } = later;
  return (
    (first.score_at_least ?? 0) <= (second.score_at_least ?? 0) &&
    // A level is also a question of what was done for this episode, so only the same level is known to be weaker.
    (first.level_at_least === undefined || first.level_at_least === second.level_at_least) &&
    (first.open === undefined || first.open === second.open) &&
    (first.closed === undefined || first.closed === second.closed) &&
    first.max_age_ms >= second.max_age_ms &&
    (earlier.sustained === null || earlier.sustained === later.sustained) &&
    (earlier.kinds === null || (later.kinds?.isSubsetOf(earlier.kinds) ?? false)) &&
    earlier.where.isSubsetOf(later.where)
  );
}

/** Every kind leads somewhere: to a route that names it, to points that a route asks for, or it says that it is a fact. */
function lostKinds(policy: Policy, work: Work): Mistake[] {
  const listed = new Set(policy.routes.flatMap(({ when }) => when.kinds ?? []));
  const open = policy.routes.map(({ when }) => when).filter(({ kinds }) => kinds === undefined);
  /** `kind` null: one that is not listed, of which nothing is known. */
  const lost = (kind: string | null, rule: Policy["other_kinds"]) =>
    rule.fact !== true &&
    !open.some((when) => {
      const asked = kindTestOf(when);
      if (asked === undefined) return rule.intent > 0 || !asksForPoints(when);
      if (kind === null) return asked.is === undefined;
      work.left -= sizeOf(asked);
      return work.left < 0 || passes(asked, kind);
    });
  const mistakes = Object.entries(policy.kinds)
    .filter(([kind, rule]) => !listed.has(kind) && lost(kind, rule))
    .map(([kind]) => ({
      path: ["kinds", kind],
      message: `No route is ever taken by "${kind}": name it in a route, give it points that a route asks for, or say fact: true.`,
    }));
  if (!lost(null, policy.other_kinds)) return mistakes;
  const message =
    "Kinds that are not listed would lead nowhere: give them points that a route asks for, or say fact: true.";
  return [...mistakes, { path: ["other_kinds"], message }];
}

function kindTestOf({ where }: Route["when"]): Test | undefined {
  return where?.["signal.kind"] as Test | undefined;
}

/** Without points a signal never comes there. */
function asksForPoints({ score_at_least, level_at_least, sustained }: Route["when"]): boolean {
  return (score_at_least ?? 0) > 0 || level_at_least !== undefined || sustained !== undefined;
}

/** Fallbacks that come back to where they began, and roles whose climb does. */
function loops(policy: Policy): Mistake[] {
  const mistakes: Mistake[] = [];
  /** Plays from which every way is known already. */
  const done = new Set<string>();
  for (const name of Object.keys(policy.plays)) {
    const way = new Set<string>();
    let next: string | undefined = name;
    while (next !== undefined && !done.has(next) && !way.has(next)) {
      way.add(next);
      next = policy.plays[next]?.fallback;
    }
    if (next !== undefined && way.has(next)) {
      const seen = [...way];
      const circle = seen.slice(seen.indexOf(next));
      for (const [index, play] of circle.entries())
        mistakes.push({
          path: ["plays", play, "fallback"],
          message: `Falls back in a circle: ${[...circle.slice(index), ...circle.slice(0, index), play].slice(0, 12).join(" → ")}.`,
        });
    }
    for (const play of way) done.add(play);
  }
  for (const [reason, { owner, escalate_to }] of Object.entries(policy.exceptions)) {
    const twice = twiceIn([owner, ...escalate_to]);
    if (twice !== undefined)
      mistakes.push({
        path: ["exceptions", reason, "escalate_to"],
        message: `Climbs in a circle: "${twice}" is asked twice.`,
      });
  }
  for (const [name, { holder, deputy }] of Object.entries(policy.roles)) {
    if (holder === null && deputy === null)
      mistakes.push({ path: ["roles", name], message: "A vacant role needs a deputy: somebody has to be asked." });
    else if (holder !== null && holder === deputy)
      mistakes.push({
        path: ["roles", name, "deputy"],
        message: "The deputy is the holder; name somebody else or nobody.",
      });
  }
  return mistakes;
}

function twiceIn(items: readonly string[]): string | undefined {
  const seen = new Set<string>();
  return items.find((item) => seen.size === seen.add(item).size);
}

function unready(policy: Policy): Mistake[] {
  return checklistOf(policy).flatMap((list) => {
    if (list.status !== "live" || list.ready) return [];
    const message = `Cannot go live yet: it does not name its ${missingOf(list).join(", ")}.`;
    return [{ path: ["plays", list.play], message }];
  });
}

function contradictions(policy: Policy, work: Work): Mistake[] {
  const mistakes: Mistake[] = [];
  const vocabulary = vocabularyOf(policy);
  const look = (condition: Condition | undefined, path: Mistake["path"]) => {
    const found = condition === undefined ? null : contradictionIn(condition, vocabulary, work);
    if (found !== null) mistakes.push({ path, message: `Can never hold: ${found}` });
  };
  for (const [index, { when }] of policy.routes.entries()) {
    look(when.where, ["routes", index, "when", "where"]);
    const kindTest = kindTestOf(when);
    if (when.kinds !== undefined && kindTest !== undefined)
      look({ all_of: [{ "signal.kind": { is: [...when.kinds] } }, { "signal.kind": kindTest }] }, [
        "routes",
        index,
        "when",
      ]);
  }
  for (const [index, { when }] of policy.scoring.fit.rules.entries())
    look(when, ["scoring", "fit", "rules", index, "when"]);
  for (const [index, { when }] of policy.holds.manual.entries()) look(when, ["holds", "manual", index, "when"]);
  for (const [index, { when }] of policy.territories.entries()) look(when, ["territories", index, "when"]);
  return mistakes;
}

function vocabularyOf({ holds }: Policy): Vocabulary {
  return new Map([
    ["level", new Set(["none", ...levels])],
    ["lead.lifecycle", new Set(lifecycles)],
    ["lead.free_mail", new Set(["true", "false"])],
    ["lead.region", new Set(holds.consent.regions.map((region) => region.name.toLowerCase()))],
  ]);
}
