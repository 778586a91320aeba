/** The pages that a policy is published as. What people typed is neither markup nor a formula in them. */
import { describe, expect, it } from "vitest";
import { defaultPolicy } from "../../src/decide/default-policy.ts";
import { checklistOf, missingOf } from "../../src/decide/policy/checklist.ts";
import { ownershipPage, routingMatrix } from "../../src/decide/policy/export.ts";
import { csvOf, longTable, markdownOf } from "../../src/decide/policy/tables.ts";
import type { Policy } from "../../src/decide/policy.ts";

const base = defaultPolicy(["sam@example.com", "kim@example.com"]);
const section = (policy: Policy, title: string) => ownershipPage(policy).find((table) => table.title === title)?.rows;

describe("the routing matrix", () => {
  it("has a row for each kind of each route, in order, and then the kinds that no route names", () => {
    const { columns, rows } = routingMatrix(base);
    expect(columns).toEqual([
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
    ]);
    expect(rows.slice(0, 6).map((row) => row.slice(0, 3))).toEqual([
      ["1", "demo_requested", "asked for us"],
      ["1", "contact_requested", "asked for us"],
      ["2", "trial_started", "trial begins"],
      ["2", "quote_accepted", "trial begins"],
      ["3", "any kind", "sustained product interest"],
      ["–", "signed_up", "–"],
    ]);
    expect(rows[0]?.slice(3)).toEqual([
      "the signal is at most 7 days old",
      "seconds",
      "speed to lead",
      "live",
      "call",
      "sales",
      "15 minutes",
      "kim@example.com",
    ]);
    expect(rows[5]?.[3]).toBe("only moves the score, by 25 points");
    expect(rows.at(-1)?.slice(0, 4)).toEqual(["–", "kinds that are not listed", "–", "only recorded"]);
  });

  it("says for how many leads a play is live, when it is due, and what is tried instead", () => {
    const call = base.plays["speed to lead"] as Policy["plays"][string];
    const play = { ...call, live_percent: 20, calendar: "office", fallback: "trial welcome" };
    const [first] = routingMatrix({ ...base, plays: { ...base.plays, "speed to lead": play } }).rows;
    expect(first?.slice(6)).toEqual([
      "live for 20 % of leads",
      "call",
      "sales",
      "15 minutes, while “office” is open",
      "trial welcome",
    ]);
  });
});

describe("the ownership page", () => {
  it("names the duties, the roles and who holds them", () => {
    expect(section(base, "Who answers for what")).toEqual([
      [
        "ready_for_follow_up",
        "Marking a lead ready for follow-up; this engine alone does it",
        "revenue_operations (sam@example.com)",
        "revenue_operations (sam@example.com)",
        "–",
        "–",
      ],
    ]);
    expect(section(base, "Roles")).toEqual([["revenue_operations", "sam@example.com", "kim@example.com"]]);
    const vacant = { ...base, roles: { revenue_operations: { holder: null, deputy: "kim@example.com" } } };
    expect(section(vacant, "Roles")).toEqual([["revenue_operations", "vacant", "kim@example.com"]]);
    expect(section(vacant, "Who answers for what")?.[0]?.[3]).toBe(
      "revenue_operations (vacant; deputy kim@example.com)",
    );
  });

  it("names every reason for an exception, with its owner, deadline and climb", () => {
    const rule = { owner: "revenue_operations", due_in_ms: 3_600_000, escalate_to: ["head"] };
    const roles = { ...base.roles, head: { holder: "max@example.com", deputy: null } };
    const rows = section({ ...base, roles, exceptions: { overdue: rule } }, "Exceptions") ?? [];
    expect(rows).toHaveLength(12);
    expect(rows.find(([reason]) => reason === "overdue")).toEqual([
      "overdue",
      "revenue_operations (sam@example.com)",
      "1 hour",
      "head (max@example.com)",
    ]);
    expect(rows[0]).toEqual(["held", "whoever holds the follow-up, or revenue operations", "1 day", "–"]);
  });

  it("says of fields what the policy says, and of plays what they name and what is missing", () => {
    const fields = {
      email: { owner: "shared", writers: ["hubspot", "*"], rule: "newest_wins", write_to: [], deadband: 5 },
    };
    const policy = { ...base, fields } as unknown as Policy;
    expect(section(policy, "Fields")).toEqual([
      ["email", "owner: shared; writers: hubspot, *; rule: newest_wins; deadband: 5"],
    ]);
    const rows = section(policy, "Plays") ?? [];
    expect(rows).toHaveLength(27);
    expect(rows.slice(0, 2)).toEqual([
      ["speed to lead", "live", "trigger", "route “asked for us”"],
      ["speed to lead", "live", "source systems", "forms, chat"],
    ]);
    const { go_live: _none, ...call } = base.plays["speed to lead"] as Policy["plays"][string];
    const bare = section({ ...base, plays: { "speed to lead": { ...call, status: "draft" } } }, "Plays") ?? [];
    expect(bare.at(-1)).toEqual(["speed to lead", "draft", "reporting field", "missing"]);
  });
});

describe("the checklist", () => {
  it("reads whatever a draft holds", () => {
    for (const document of [null, 5, "x", [], {}, { plays: [] }, { plays: { a: null }, routes: [null, { play: 5 }] }])
      expect(() => checklistOf(document)).not.toThrow();
    const [list] = checklistOf({
      plays: { a: { go_live: { owner: " ", review_path: "weekly", source_systems: [] } } },
    });
    expect(list && [list.play, list.status, list.ready]).toEqual(["a", "live", false]);
    expect(list && missingOf(list)).toEqual([
      "trigger",
      "source systems",
      "destination system",
      "owner",
      "fallback owner",
      "exception route",
      "QA checkpoint",
      "reporting field",
    ]);
  });
});

describe("a table", () => {
  const rows = [
    ["=HYPERLINK(1)", "+1", "-2", "@x"],
    ['say "hi", Sam', "two\nlines", "plain", "–"],
    ["a|b", "*bold* _x_ `y` <b>", "[l](u) #1", "\\"],
  ];
  const table = { title: "T", columns: ["a", "b", "c", "d"], rows };

  it("is CSV that no spreadsheet calculates, quoted where it must be", () => {
    expect(csvOf(table)).toBe(
      [
        "a,b,c,d",
        "'=HYPERLINK(1),'+1,'-2,'@x",
        '"say ""hi"", Sam","two\nlines",plain,–',
        "a|b,*bold* _x_ `y` <b>,[l](u) #1,\\",
        "",
      ].join("\r\n"),
    );
  });

  it("is Markdown in which everything is text", () => {
    expect(markdownOf("A *page*", [table, { title: "Empty", columns: ["a"], rows: [] }])).toBe(
      [
        "# A \\*page\\*",
        "",
        "## T",
        "",
        "| a | b | c | d |",
        "| --- | --- | --- | --- |",
        "| =HYPERLINK(1) | +1 | -2 | @x |",
        '| say "hi", Sam | two lines | plain | – |',
        "| a\\|b | \\*bold\\* \\_x\\_ \\`y\\` \\<b\\> | \\[l\\](u) \\#1 | \\\\ |",
        "",
        "## Empty",
        "",
        "Nothing yet.",
        "",
      ].join("\n"),
    );
  });

  it("of several is one table of names, items and values", () => {
    expect(
      longTable([
        { title: "Roles", columns: ["role", "holder", "deputy"], rows: [["r", "sam", "kim"]] },
        { title: "Empty", columns: ["a"], rows: [] },
      ]).rows,
    ).toEqual([
      ["Roles", "r", "holder", "sam"],
      ["Roles", "r", "deputy", "kim"],
    ]);
  });
});
