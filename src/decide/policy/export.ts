/**
 * The pages that a policy is published as: the routing matrix, and who answers for what. Tables of text; `tables.ts` writes them as
 * Markdown or CSV. Pure.
 */
import type { Policy } from "../policy.ts";
import { checklistOf } from "./checklist.ts";
import { exceptionReasons } from "./people.ts";
import type { Route } from "./plays.ts";
import { wordsOfRoute, wordsOfTime, wordsOfUnrouted } from "./words.ts";

export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

const anyKind = "any kind";
const none = "–";

/** A row for each kind of each route, in the order in which routes are tried; below them the kinds that no route names. */
export function routingMatrix(policy: Policy): Table {
  const named = new Set(policy.routes.flatMap(({ when }) => when.kinds ?? []));
  const routed = policy.routes.flatMap((route, index) =>
    (route.when.kinds ?? [anyKind]).map((kind) => [
      String(index + 1),
      kind,
      route.name,
      ...routeCells(policy, route, kind),
    ]),
  );
  const others = Object.entries(policy.kinds).filter(([kind]) => !named.has(kind));
  const unrouted = [...others, ["kinds that are not listed", policy.other_kinds] as const].map(([kind, rule]) => [
    none,
    kind,
    none,
    wordsOfUnrouted(rule),
    rule.tier,
    none,
    none,
    none,
    none,
    none,
    none,
  ]);
  return {
    title: "Routing matrix",
    columns: [
      "order",
      "kind",
      "route",
      "conditions",
      "tier",
      "play",
      "status",
      "type",
      "team",
      "due in",
      "if nobody can take it",
    ],
    rows: [...routed, ...unrouted],
  };
}

function routeCells(policy: Policy, route: Route, kind: string): readonly string[] {
  const play = policy.plays[route.play];
  const tier = Object.hasOwn(policy.kinds, kind) ? (policy.kinds[kind]?.tier ?? none) : "of the kind";
  const due = play === undefined ? none : wordsOfTime(play.due_in_ms);
  return [
    wordsOfRoute(route),
    tier,
    route.play,
    play === undefined ? none : statusOf(play),
    play?.type ?? none,
    play?.team ?? none,
    play?.calendar === undefined ? due : `${due}, while “${play.calendar}” is open`,
    play?.fallback ?? play?.go_live?.fallback_owner ?? none,
  ];
}

function statusOf({ status, live_percent }: Policy["plays"][string]): string {
  return status === "live" && live_percent < 100 ? `live for ${live_percent} % of leads` : status;
}

/** The RACI page: duties, roles, exceptions, fields, plays. */
export function ownershipPage(policy: Policy): readonly Table[] {
  const holderOf = (role: string) => {
    const known = Object.hasOwn(policy.roles, role) ? policy.roles[role] : undefined;
    return `${role} (${known?.holder ?? (known?.deputy == null ? "nobody" : `vacant; deputy ${known.deputy}`)})`;
  };
  const holders = (roles: readonly string[]) => listed(roles.map(holderOf));
  return [
    {
      title: "Who answers for what",
      columns: ["duty", "what", "responsible", "accountable", "consulted", "informed"],
      rows: Object.entries(policy.raci).map(([name, duty]) => [
        name,
        duty.what,
        holders(duty.responsible),
        holderOf(duty.accountable),
        holders(duty.consulted),
        holders(duty.informed),
      ]),
    },
    {
      title: "Roles",
      columns: ["role", "holder", "deputy"],
      rows: Object.entries(policy.roles).map(([name, { holder, deputy }]) => [
        name,
        holder ?? "vacant",
        deputy ?? none,
      ]),
    },
    {
      title: "Exceptions",
      columns: ["reason", "owner", "deadline", "then climbs to"],
      rows: exceptionReasons.map((reason) => {
        const rule = policy.exceptions[reason];
        if (rule === undefined) return [reason, "whoever holds the follow-up, or revenue operations", "1 day", none];
        return [reason, holderOf(rule.owner), wordsOfTime(rule.due_in_ms), holders(rule.escalate_to)];
      }),
    },
    {
      title: "Fields",
      columns: ["field", "rules"],
      rows: Object.entries(policy.fields).map(([field, rules]) => [field, wordsOfRules(rules)]),
    },
    {
      title: "Plays",
      columns: ["play", "status", "item", "named"],
      rows: checklistOf(policy).flatMap(({ play, status, items }) =>
        items.map(({ item, named }) => [play, status, item, named ?? "missing"]),
      ),
    },
  ];
}

/** Members of a field's rules as they stand in the document. */
function wordsOfRules(rules: unknown): string {
  if (typeof rules !== "object" || rules === null || Array.isArray(rules)) return JSON.stringify(rules) ?? none;
  return Object.entries(rules)
    .filter(([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0))
    .map(([name, value]) => {
      const text = typeof value === "string" ? value : Array.isArray(value) ? value.map(String).join(", ") : undefined;
      return `${name.replaceAll("_", " ")}: ${text ?? JSON.stringify(value)}`;
    })
    .join("; ");
}

function listed(items: readonly string[]): string {
  return items.length === 0 ? none : items.join(", ");
}
