/** Policies that could not work are refused with the path and a sentence; for each there is a neighbour that is taken. */
import { describe, expect, it } from "vitest";
import { defaultPolicy } from "../../src/decide/default-policy.ts";
import { memberOf } from "../../src/decide/policy/people.ts";
import { type Policy, policySchema } from "../../src/decide/policy.ts";

const base = defaultPolicy(["sam@example.com", "kim@example.com"]);
const [asked, trial, interest] = base.routes as [Policy["routes"][0], Policy["routes"][0], Policy["routes"][0]];
const call = base.plays["speed to lead"] as Policy["plays"][string];
const dayMs = 86_400_000;

function mistakes(given: unknown): readonly (readonly [string, string])[] {
  const parsed = policySchema.safeParse(given);
  return (parsed.error?.issues ?? []).map(({ path, message }) => [path.join("."), message]);
}

interface Case {
  readonly what: string;
  readonly refused: object;
  readonly path: string;
  readonly sentence: string;
  /** Nearly the same, and good. */
  readonly taken: object;
}

const withRoutes = (...routes: object[]) => ({ routes: [...base.routes, ...routes] });
const route = (name: string, when: object, play = "speed to lead") => ({ name, when, play });
const office = { zone: "Europe/Berlin", week: { mon: [["09:00", "17:00"]] } };
const withPlay = (name: string, part: object) => ({
  plays: { ...base.plays, [name]: { ...call, status: "draft", ...part } },
});
const withKind = (part: object) => ({
  kinds: { ...base.kinds, coughed: { tier: "hours", words: "coughed", ...part } },
});
const withHold = (when: object) => ({ holds: { ...base.holds, manual: [{ name: "big", when, words: "is big" }] } });
const withRole = (role: object) => ({ roles: { ...base.roles, "sales manager": role } });
const withException = (rule: object) => ({
  roles: { ...base.roles, manager: { holder: "max@example.com" } },
  exceptions: { overdue: { owner: "revenue_operations", due_in_ms: dayMs, ...rule } },
});
const withMember = (part: object) => ({ teams: { sales: { members: [{ ...memberOf("sam@example.com"), ...part }] } } });

const cases: readonly Case[] = [
  /* ---- names */
  {
    what: "a route to a play that does not exist",
    refused: withRoutes(route("x", { score_at_least: 50 }, "speed to leed")),
    path: "routes.3.play",
    sentence: 'There is no play named "speed to leed".',
    taken: withRoutes(route("x", { score_at_least: 50 })),
  },
  {
    what: "a route of a kind without a rule",
    refused: withRoutes(route("x", { kinds: ["signed_up", "sneezed"] })),
    path: "routes.3.when.kinds.1",
    sentence: 'There is no kind with a rule named "sneezed".',
    taken: withRoutes(route("x", { kinds: ["signed_up"] })),
  },
  {
    what: "a route by a calendar that does not exist",
    refused: withRoutes(route("x", { kinds: ["signed_up"], open: "office" })),
    path: "routes.3.when.open",
    sentence: 'There is no calendar named "office".',
    taken: { ...withRoutes(route("x", { kinds: ["signed_up"], open: "office" })), calendars: { office } },
  },
  {
    what: "a play of a team that does not exist",
    refused: withPlay("new", { team: "marketing" }),
    path: "plays.new.team",
    sentence: 'There is no team named "marketing".',
    taken: withPlay("new", { team: "sales" }),
  },
  {
    what: "a name that every object has",
    refused: withPlay("new", { team: "toString" }),
    path: "plays.new.team",
    sentence: 'There is no team named "toString".',
    taken: withPlay("new", { team: "sales" }),
  },
  {
    what: "a fallback that does not exist",
    refused: withPlay("new", { fallback: "old" }),
    path: "plays.new.fallback",
    sentence: 'There is no play named "old".',
    taken: withPlay("new", { fallback: "trial welcome" }),
  },
  {
    what: "exceptions of a play that go to no role",
    refused: withPlay("new", { go_live: { ...call.go_live, exception_route: "boss" } }),
    path: "plays.new.go_live.exception_route",
    sentence: 'There is no role named "boss".',
    taken: withPlay("new", { go_live: call.go_live }),
  },
  {
    what: "a member by a calendar that does not exist",
    refused: withMember({ calendar: "part-time" }),
    path: "teams.sales.members.0.calendar",
    sentence: 'There is no calendar named "part-time".',
    taken: { ...withMember({ calendar: "part-time" }), calendars: { "part-time": office } },
  },
  {
    what: "a member of a territory that does not exist",
    refused: withMember({ territories: ["DACH"] }),
    path: "teams.sales.members.0.territories",
    sentence: 'There is no territory named "DACH".',
    taken: {
      ...withMember({ territories: ["DACH"] }),
      territories: [{ name: "DACH", when: { "lead.country": { is: ["DE", "AT", "CH"] } } }],
    },
  },
  {
    what: "a duty of a role that does not exist",
    refused: { raci: { x: { what: "it", responsible: ["boss"], accountable: "revenue_operations" } } },
    path: "raci.x",
    sentence: 'There is no role named "boss".',
    taken: { raci: { x: { what: "it", responsible: ["revenue_operations"], accountable: "revenue_operations" } } },
  },
  {
    what: "a member twice, in whatever case",
    refused: { teams: { sales: { members: ["sam@example.com", "Sam@example.com"] } } },
    path: "teams.sales.members",
    sentence: "sam@example.com is a member twice; give a weight instead.",
    taken: { teams: { sales: { members: [{ address: "sam@example.com", weight: 2 }] } } },
  },

  /* ---- routes that are never taken */
  {
    what: "a route without a condition",
    refused: withRoutes(route("all", {})),
    path: "routes.3.when",
    sentence: "A route needs a condition: it would match everything.",
    taken: withRoutes(route("all", { score_at_least: 100 })),
  },
  {
    what: "two routes of one name",
    refused: withRoutes(route("asked for us", { kinds: ["signed_up"] })),
    path: "routes.3.name",
    sentence: 'Two routes are named "asked for us".',
    taken: withRoutes(route("asked for us too", { kinds: ["signed_up"] })),
  },
  {
    what: "a route that asks for open and closed at once",
    refused: {
      ...withRoutes(route("x", { kinds: ["signed_up"], open: "office", closed: "office" })),
      calendars: { office },
    },
    path: "routes.3.when",
    sentence: '"office" is never open and closed at once.',
    taken: {
      ...withRoutes(route("x", { kinds: ["signed_up"], open: "office", closed: "shop" })),
      calendars: { office, shop: office },
    },
  },
  {
    what: "a route in the shadow of a wider one",
    refused: withRoutes(route("x", { kinds: ["demo_requested"], score_at_least: 90 })),
    path: "routes.3",
    sentence: 'This route can never be reached: "asked for us" above it takes everything that would come here.',
    taken: { routes: [route("x", { kinds: ["demo_requested"], score_at_least: 90 }), ...base.routes] },
  },
  {
    what: "a route in the shadow of one that asks less",
    refused: withRoutes(
      route("Germany", { where: { "lead.country": { is: "DE" } } }),
      route("Berlin", { where: { "lead.country": { is: "DE" }, "signal.properties.city": { is: "Berlin" } } }),
    ),
    path: "routes.4",
    sentence: 'This route can never be reached: "Germany" above it takes everything that would come here.',
    taken: withRoutes(
      route("Berlin", { where: { "lead.country": { is: "DE" }, "signal.properties.city": { is: "Berlin" } } }),
      route("Germany", { where: { "lead.country": { is: "DE" } } }),
    ),
  },
  {
    what: "a route in the shadow of one that takes older signals",
    refused: withRoutes(
      route("a", { kinds: ["signed_up"], max_age_ms: 2 * dayMs }),
      route("b", { kinds: ["signed_up"], max_age_ms: dayMs }),
    ),
    path: "routes.4",
    sentence: 'This route can never be reached: "a" above it takes everything that would come here.',
    taken: withRoutes(
      route("a", { kinds: ["signed_up"], max_age_ms: dayMs }),
      route("b", { kinds: ["signed_up"], max_age_ms: 2 * dayMs }),
    ),
  },
  {
    what: "a route in the shadow of a play that only watches",
    refused: {
      ...withRoutes(route("x", { kinds: ["demo_requested"] })),
      plays: { ...base.plays, "speed to lead": { ...call, status: "shadow" } },
    },
    path: "routes.3",
    sentence: 'This route can never be reached: "asked for us" above it takes everything that would come here.',
    // The routes of a draft are passed over, so they take nothing away.
    taken: {
      ...withRoutes(route("x", { kinds: ["demo_requested"] }, "trial welcome")),
      plays: { ...base.plays, "speed to lead": { ...call, status: "draft" } },
    },
  },

  /* ---- kinds that lead nowhere */
  {
    what: "a kind that no route names and that has no points",
    refused: withKind({}),
    path: "kinds.coughed",
    sentence:
      'No route is ever taken by "coughed": name it in a route, give it points that a route asks for, or say fact: true.',
    taken: withKind({ fact: true }),
  },
  {
    what: "a kind with points that no route asks for",
    refused: {
      ...withKind({ intent: 5 }),
      routes: [asked, trial],
      plays: { ...base.plays, "product interest": { ...call, status: "draft" } },
    },
    path: "kinds.coughed",
    sentence: 'No route is ever taken by "coughed"',
    taken: withKind({ intent: 5 }),
  },
  {
    what: "a kind that a condition shuts out",
    refused: { ...withKind({}), ...withRoutes(route("x", { where: { "signal.kind": { is_not: "coughed" } } })) },
    path: "kinds.coughed",
    sentence: 'No route is ever taken by "coughed"',
    taken: { ...withKind({}), ...withRoutes(route("x", { where: { "signal.kind": { like: "cough*" } } })) },
  },
  {
    what: "kinds that are not listed and lead nowhere",
    refused: { other_kinds: { tier: "hours", words: "did something" } },
    path: "other_kinds",
    sentence:
      "Kinds that are not listed would lead nowhere: give them points that a route asks for, or say fact: true.",
    taken: { other_kinds: { tier: "hours", intent: 1, words: "did something" } },
  },

  /* ---- circles */
  {
    what: "a play that falls back on itself",
    refused: withPlay("a", { fallback: "a" }),
    path: "plays.a.fallback",
    sentence: "Falls back in a circle: a → a.",
    taken: withPlay("a", { fallback: "trial welcome" }),
  },
  {
    what: "plays that fall back in a circle",
    refused: {
      plays: {
        ...base.plays,
        a: { ...call, status: "draft", fallback: "b" },
        b: { ...call, status: "draft", fallback: "c" },
        c: { ...call, status: "draft", fallback: "b" },
      },
    },
    path: "plays.b.fallback",
    sentence: "Falls back in a circle: b → c → b.",
    taken: {
      plays: {
        ...base.plays,
        a: { ...call, status: "draft", fallback: "b" },
        b: { ...call, status: "draft", fallback: "c" },
        c: { ...call, status: "draft" },
      },
    },
  },
  {
    what: "an exception that climbs back to its owner",
    refused: withException({ escalate_to: ["manager", "revenue_operations"] }),
    path: "exceptions.overdue.escalate_to",
    sentence: 'Climbs in a circle: "revenue_operations" is asked twice.',
    taken: withException({ escalate_to: ["manager"] }),
  },
  {
    what: "an exception of a role that does not exist",
    refused: withException({ escalate_to: ["boss"] }),
    path: "exceptions.overdue",
    sentence: 'There is no role named "boss".',
    taken: withException({}),
  },

  /* ---- people */
  {
    what: "a vacant role without a deputy",
    refused: withRole({ holder: null }),
    path: "roles.sales manager",
    sentence: "A vacant role needs a deputy: somebody has to be asked.",
    taken: withRole({ holder: null, deputy: "kim@example.com" }),
  },
  {
    what: "a role whose deputy is its holder",
    refused: withRole({ holder: "kim@example.com", deputy: "kim@example.com" }),
    path: "roles.sales manager.deputy",
    sentence: "The deputy is the holder; name somebody else or nobody.",
    taken: withRole({ holder: "kim@example.com" }),
  },

  /* ---- going live */
  {
    what: "a live play that names nothing",
    refused: {
      ...withRoutes(route("x", { kinds: ["signed_up"] }, "new")),
      ...withPlay("new", { status: "live", go_live: undefined }),
    },
    path: "plays.new",
    sentence:
      "Cannot go live yet: it does not name its source systems, destination system, owner, fallback owner, exception route, review path, QA checkpoint, reporting field.",
    taken: {
      ...withRoutes(route("x", { kinds: ["signed_up"] }, "new")),
      ...withPlay("new", { status: "draft", go_live: undefined }),
    },
  },
  {
    what: "a live play that nothing leads to",
    refused: withPlay("new", { status: "live" }),
    path: "plays.new",
    sentence: "Cannot go live yet: it does not name its trigger.",
    taken: {
      plays: {
        ...base.plays,
        new: { ...call, status: "live" },
        "trial welcome": { ...base.plays["trial welcome"], fallback: "new" },
      },
    },
  },

  /* ---- conditions that never hold */
  {
    what: "two values at once",
    refused: withHold({ all_of: [{ "lead.country": { is: "DE" } }, { "lead.country": { is: ["FR", "IT"] } }] }),
    path: "holds.manual.0.when",
    sentence: "Can never hold: no value of lead.country passes all that is asked of it.",
    taken: withHold({ any_of: [{ "lead.country": { is: "DE" } }, { "lead.country": { is: ["FR", "IT"] } }] }),
  },
  {
    what: "a value that another test forbids",
    refused: withHold({ "lead.country": { is: ["DE", "FR"], is_not: ["de", "fr"] } }),
    path: "holds.manual.0.when",
    sentence: "Can never hold: no value of lead.country passes all that is asked of it.",
    taken: withHold({ "lead.country": { is: ["DE", "FR"], is_not: ["de"] } }),
  },
  {
    what: "bounds that cross",
    refused: withRoutes(route("x", { where: { "score.total": { at_least: 60, at_most: 50 } } })),
    path: "routes.3.when.where",
    sentence: "Can never hold: score.total cannot be at least 60 and at most 50.",
    taken: withRoutes(route("x", { where: { "score.total": { at_least: 50, at_most: 60 } } })),
  },
  {
    what: "something unknown that is compared",
    refused: withHold({ "lead.owner": { known: false, is: "sam@example.com" } }),
    path: "holds.manual.0.when",
    sentence: "Can never hold: lead.owner is asked to be unknown and compared as well.",
    taken: withHold({ "lead.owner": { known: false, is_not: "sam@example.com" } }),
  },
  {
    what: "what it forbids itself",
    refused: withHold({
      "account.domain": { is: "a.example.com" },
      none_of: [{ "account.domain": { is: "a.example.com" } }],
    }),
    path: "holds.manual.0.when",
    sentence: "Can never hold: it asks for account.domain and forbids the same.",
    taken: withHold({
      "account.domain": { is: "a.example.com" },
      none_of: [{ "account.domain": { is: "b.example.com" } }],
    }),
  },
  {
    what: "branches none of which fits what is around them",
    refused: withHold({
      "lead.country": { is: "DE" },
      any_of: [{ "lead.country": { is: "FR" } }, { all_of: [{ "lead.country": { is_not: "DE" } }] }],
    }),
    path: "holds.manual.0.when",
    sentence: "Can never hold: no value of lead.country passes all that is asked of it.",
    taken: withHold({
      "lead.country": { is: "DE" },
      any_of: [{ "lead.country": { is: "FR" } }, { level: { is: "task" } }],
    }),
  },
  {
    what: "a level that there is not",
    refused: withHold({ level: { is: ["tasks", "Urgend"] } }),
    path: "holds.manual.0.when",
    sentence: "Can never hold: level is never tasks or Urgend; there is none, watch, card, task, urgent.",
    taken: withHold({ level: { is: ["tasks", "Urgent"] } }),
  },
  {
    what: "a region that the policy does not have",
    refused: withHold({ "lead.region": { is: "EU" } }),
    path: "holds.manual.0.when",
    sentence: "Can never hold: lead.region is never EU; there is none.",
    taken: {
      holds: {
        ...withHold({ "lead.region": { is: "eu" } }).holds,
        consent: {
          ...base.holds.consent,
          regions: [{ name: "EU", countries: ["DE"], rule: "opt_in", asking_counts_days: 30 }],
        },
      },
    },
  },
  {
    what: "a kind that the route's own list excludes",
    refused: withRoutes(route("x", { kinds: ["signed_up"], where: { "signal.kind": { is: "page_viewed" } } })),
    path: "routes.3.when",
    sentence: "Can never hold: no value of signal.kind passes all that is asked of it.",
    taken: withRoutes(
      route("x", { kinds: ["signed_up", "page_viewed"], where: { "signal.kind": { is: "page_viewed" } } }),
    ),
  },
  {
    what: "points for fit that nobody gets",
    refused: {
      scoring: {
        ...base.scoring,
        fit: {
          ...base.scoring.fit,
          rules: [{ name: "x", when: { "lead.lifecycle": { is: "client" } }, points: 5, words: "x" }],
        },
      },
    },
    path: "scoring.fit.rules.0.when",
    sentence: "Can never hold: lead.lifecycle is never client; there is unknown, subscriber",
    taken: {
      scoring: {
        ...base.scoring,
        fit: {
          ...base.scoring.fit,
          rules: [{ name: "x", when: { "lead.lifecycle": { is: "customer" } }, points: 5, words: "x" }],
        },
      },
    },
  },

  /* ---- times */
  {
    what: "a zone that there is not",
    refused: { calendars: { office: { ...office, zone: "Europe/Bielefeld" } } },
    path: "calendars.office.zone",
    sentence: 'This is not a time zone of the IANA list, such as "Europe/Berlin".',
    taken: { calendars: { office } },
  },
  {
    what: "a day that there is not",
    refused: { calendars: { office: { ...office, holidays: ["2026-02-30"] } } },
    path: "calendars.office.holidays.0",
    sentence: "There is no such day in the calendar.",
    taken: { calendars: { office: { ...office, holidays: ["2026-02-28"] } } },
  },
  {
    what: "a week that is never open",
    refused: { calendars: { office: { ...office, week: { mon: [] } } } },
    path: "calendars.office.week",
    sentence: "A week needs a day on which something is open.",
    taken: { calendars: { office: { ...office, week: { mon: [["00:00", "24:00"]] } } } },
  },

  /* ---- numbers */
  {
    what: "negative weights",
    refused: withKind({ intent: -5 }),
    path: "kinds.coughed.intent",
    sentence: "Too small: expected number to be >=0",
    taken: withKind({ intent: 5 }),
  },
  {
    what: "a turn of less than one",
    refused: withMember({ weight: 0 }),
    path: "teams.sales.members.0.weight",
    sentence: "Too small: expected number to be >=1",
    taken: withMember({ weight: 1 }),
  },
  {
    what: "10,000 routes",
    refused: {
      routes: Array.from({ length: 10_000 }, (_, index) => route(`r${index}`, { score_at_least: 10_000 - index })),
    },
    path: "routes",
    sentence: "Too big: expected array to have <=500 items",
    taken: {
      routes: [
        ...base.routes,
        ...Array.from({ length: 497 }, (_, index) => route(`r${index}`, { score_at_least: 9_000 - index })),
      ],
    },
  },
  {
    what: "10,000 kinds",
    refused: {
      kinds: {
        ...base.kinds,
        ...Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`k${index}`, base.other_kinds])),
      },
    },
    path: "kinds",
    sentence: `There are ${10_000 + Object.keys(base.kinds).length} of them; at most 1000 are taken.`,
    taken: {
      kinds: {
        ...base.kinds,
        ...Object.fromEntries(Array.from({ length: 900 }, (_, index) => [`k${index}`, base.other_kinds])),
      },
    },
  },
  {
    what: "an unknown member",
    refused: { rotues: [] },
    path: "",
    sentence: 'Unrecognized key: "rotues"',
    taken: {},
  },
];

describe("the default policy", () => {
  it("has no mistakes, and neither has its written form", () => {
    expect(mistakes(base)).toEqual([]);
    expect(mistakes(JSON.parse(JSON.stringify(base)))).toEqual([]);
    expect(interest.when.kinds).toBeUndefined();
  });
});

describe("a policy", () => {
  it.each(cases)("is refused for $what, and taken without it", ({ refused, path, sentence, taken }) => {
    const found = mistakes({ ...base, ...refused });
    const said = found.find(([at, message]) => at === path && message.startsWith(sentence));
    expect(said, JSON.stringify(found.slice(0, 5))).toBeDefined();
    expect(mistakes({ ...base, ...taken })).toEqual([]);
  });

  it("is asked for its meaning only once its form is right: nothing throws over what is malformed", () => {
    const broken = { ...base, ...withRoutes(route("x", { where: { all_of: 5, any_of: null } })) };
    expect(mistakes(broken).map(([path]) => path)).toEqual([
      "routes.3.when.where.all_of",
      "routes.3.when.where.any_of",
    ]);
  });
});
