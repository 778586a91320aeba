/** Why a decision was made, and what another policy would have decided: asked of history as the objects recorded it. */
import { env, exports } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { canonicalJson } from "../../src/crypto.ts";
import { defaultPolicy } from "../../src/decide/default-policy.ts";
import { advance, type Checkpoint, runBacktests } from "../../src/ledger/backtests.ts";
import { archiveJournal, readHistory } from "../../src/ledger/history.ts";
import type { JournalEntry } from "../../src/ledger/rows.ts";
import { api, email, eventually, openWorkspace, personOf, rest, send, type TestWorkspace } from "./fixture.ts";
import { RecordingCrm } from "./recording-crm.ts";

const crm = new RecordingCrm();
let acme: TestWorkspace;

beforeAll(async () => {
  acme = await openWorkspace("acme", { crm });
  await send(acme, { id: "d1", identifiers: [email("ada@example.com")], kind: "demo_requested" });
  await send(acme, { id: "d2", identifiers: [email("bob@example.com")], kind: "demo_requested" });
  await send(acme, { id: "d3", identifiers: [email("bob@example.com")], kind: "contact_requested" });
  await send(acme, {
    id: "d4",
    identifiers: [email("cat@example.com")],
    kind: "demo_requested",
    consent: { follow_up: false },
  });
  await eventually(decisions, (all) => all.length >= 4);
});

async function decisions(): Promise<Extract<JournalEntry, { type: "decision" }>[]> {
  const found: Extract<JournalEntry, { type: "decision" }>[] = [];
  for await (const entry of readHistory(env.LEDGER_0, env.HISTORY, "acme"))
    if (entry.type === "decision") found.push(entry);
  return found;
}

async function ask(method: string, path: string, body?: unknown, key = acme.apiKey) {
  const answer = await exports.default.fetch(`https://baton.example.com${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

interface Told {
  readonly decision: { readonly id: string; readonly outcome: string };
  readonly why: {
    readonly recomputed: boolean;
    readonly words: readonly string[];
    readonly changes: readonly { what: string }[];
  };
}

describe("why a decision was made", () => {
  it("is told of every recorded decision, made again to the same bytes, from the journal and from the archive", async () => {
    const recorded = await decisions();
    const check = async () => {
      for (const { decision } of recorded) {
        const at = new Date(decision.at).toISOString();
        for (const query of ["", `?at=${at}`]) {
          const told = await api<Told>("GET", `/v1/decisions/${decision.id}/why${query}`, acme.apiKey);
          expect([decision.id, query, told.why.recomputed]).toEqual([decision.id, query, true]);
          expect(told.decision.outcome).toBe(decision.outcome);
        }
      }
    };
    await check();
    await archiveJournal(env.LEDGER_0, env.HISTORY, Date.now() + 1, 0);
    await check();
    expect(recorded.map(({ decision }) => decision.outcome).sort()).toEqual([
      "follow_up",
      "follow_up",
      "held",
      "noted",
    ]);
  });

  it("says what would have changed it", async () => {
    const held = (await decisions()).find(({ decision }) => decision.outcome === "held");
    const told = await api<Told>("GET", `/v1/decisions/${held?.decision.id}/why`, acme.apiKey);
    expect(told.why.changes.map(({ what }) => what)).toContain("consent");
    expect(told.why.words[1]).toBe("It was held: This person asked not to be contacted.");
  });

  it("is refused for a decision that nobody made, for another workspace, and for an instant that is none", async () => {
    const id = (await decisions())[0]?.decision.id ?? "";
    expect(await ask("GET", "/v1/decisions/de_none/why")).toMatchObject({
      status: 404,
      body: { code: "no_such_decision" },
    });
    expect(await ask("GET", `/v1/decisions/${id}/why?at=yesterday`)).toMatchObject({ status: 400 });
    const other = await openWorkspace("other");
    expect(await ask("GET", `/v1/decisions/${id}/why`, undefined, other.apiKey)).toMatchObject({ status: 404 });
  });

  it("is told of nobody who was erased", async () => {
    await send(acme, { id: "d9", identifiers: [email("eve@example.com")], kind: "demo_requested" });
    const found = await eventually(decisions, (all) =>
      all.some(({ decision }) => decision.signals.includes("forms:d9")),
    );
    const id = found.find(({ decision }) => decision.signals.includes("forms:d9"))?.decision.id ?? "";
    expect(await ask("GET", `/v1/decisions/${id}/why`)).toMatchObject({ status: 200 });
    const lead = (await personOf(acme, email("eve@example.com"))).root.name;
    await eventually(
      () => ask("POST", `/v1/leads/${encodeURIComponent(lead)}/erase`, { by: "sam@example.com" }),
      ({ status }) => status === 200,
    );
    expect(await ask("GET", `/v1/decisions/${id}/why`)).toMatchObject({ status: 404 });
  });
});

interface Read {
  readonly status: string;
  readonly problem: string | null;
  readonly figures: {
    readonly signals: number;
    readonly differences: number;
    readonly baseline: {
      readonly outcomes: Record<string, number>;
      readonly load: { people: Record<string, unknown> };
    };
    readonly draft: { readonly outcomes: Record<string, number> };
    readonly real: { readonly outcomes: Record<string, number> };
  };
}

const { version: _version, ...present } = defaultPolicy(["sam@example.com"]);
/** Demo requests from Germany only, where nobody of these is. */
const deaf = {
  ...present,
  routes: present.routes.map((route) =>
    route.name === "asked for us"
      ? { ...route, when: { ...route.when, where: { "lead.country": { is: "DE" } } } }
      : route,
  ),
};
const range = () => ({
  from: new Date(Date.now() - 86_400_000).toISOString(),
  to: new Date(Date.now() + 60_000).toISOString(),
});

async function finished(id: string): Promise<Read> {
  return eventually(
    () => api<Read>("GET", `/v1/backtests/${id}`, acme.apiKey),
    ({ status }) => status !== "running",
  );
}

async function started(body: object): Promise<string> {
  return (await api<{ id: string }>("POST", "/v1/backtests", acme.apiKey, { ...range(), ...body })).id;
}

describe("a backtest", () => {
  it("of the policy in force over what really happened gives what was really decided", async () => {
    const { status, problem, figures } = await finished(await started({ policy: present }));
    expect([status, problem]).toEqual(["finished", null]);
    expect(figures.differences).toBe(0);
    expect(figures.signals).toBe(4);
    expect(figures.baseline.outcomes).toEqual({ follow_up: 2, noted: 1, held: 1 });
    // The erased one's decision stays, and counts; there is nobody to decide about again.
    expect(figures.real.outcomes).toEqual({ follow_up: 3, noted: 1, held: 1 });
    expect(figures.baseline.load.people).toEqual({ "sam@example.com": { follow_ups: 2, open_max: 2 } });
  });

  it("lists every decision that differs, each side by side, page by page", async () => {
    const id = await started({ policy: deaf });
    const { figures } = await finished(id);
    expect(figures.draft.outcomes).toEqual({ none: 4 });
    expect(figures.differences).toBe(4);
    type Page = {
      items: {
        signal: string;
        what: string[];
        baseline: { outcome: string };
        draft: { outcome: string; reasons: unknown[] };
      }[];
      next_cursor: string | null;
    };
    const seen: Page["items"] = [];
    let cursor: string | null = null;
    do {
      const query: string = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
      const page: Page = await api<Page>("GET", `/v1/backtests/${id}/differences?limit=3${query}`, acme.apiKey);
      seen.push(...page.items);
      cursor = page.next_cursor;
    } while (cursor !== null);
    expect(seen.map(({ signal, baseline, draft }) => [signal, baseline.outcome, draft.outcome]).sort()).toEqual([
      ["forms:d1", "follow_up", "none"],
      ["forms:d2", "follow_up", "none"],
      ["forms:d3", "noted", "none"],
      ["forms:d4", "held", "none"],
    ]);
    const scores = await api<Page>("GET", `/v1/backtests/${id}/differences?what=score`, acme.apiKey);
    expect(scores).toEqual({ items: [], next_cursor: null });
  });

  it("of a stored draft counts for the activation of that very content, and of no other", async () => {
    await env.CONTROL.prepare("INSERT INTO policy_drafts VALUES ('acme', 'dr_1', 1, ?, '[]', '', 1, '', '[]', 0, 0)")
      .bind(JSON.stringify(deaf))
      .run();
    const id = await started({ draft: "dr_1" });
    await finished(id);
    const rows = await env.CONTROL.prepare("SELECT workspace, id FROM policy_backtests").all();
    expect(rows.results).toEqual([{ workspace: "acme", id }]);
  });

  it("goes on where a crash stopped it, and leaves no copy of what it read", async () => {
    const id = await started({ policy: deaf });
    const before = await finished(id);
    const checkpoint: Checkpoint = { stage: "gather", what: "follow_ups", after: "", slices: 0, signals: 0, parts: 3 };
    await env.LEDGER_0.prepare(
      "UPDATE backtests SET state = 'running', figures = NULL, checkpoint = ?, lease_until = 0 WHERE id = ?",
    )
      .bind(JSON.stringify(checkpoint), id)
      .run();
    // One slice, then somebody who died in the middle of the next one, then the cron.
    await advance(env, 0, "acme", id, 1);
    expect((await env.HISTORY.list({ prefix: `backtests/acme/${id}/parts/` })).objects.length).toBeGreaterThan(0);
    await advance(env, 0, "acme", id, 1);
    await env.LEDGER_0.prepare("UPDATE backtests SET checkpoint = ?, lease_until = 0 WHERE id = ?")
      .bind(JSON.stringify({ ...checkpoint, what: "segments", slices: 1 }), id)
      .run();
    await runBacktests(env, Date.now());
    const after = await finished(id);
    expect(canonicalJson(after.figures)).toBe(canonicalJson(before.figures));
    expect((await env.HISTORY.list({ prefix: `backtests/acme/${id}/parts/` })).objects).toEqual([]);
  });

  it("is refused for a policy with mistakes, a range that ends before it begins, and a draft that is not there", async () => {
    const refused = (body: object) => ask("POST", "/v1/backtests", { ...range(), ...body });
    expect(await refused({ policy: { ...present, colour: "red" } })).toMatchObject({
      status: 422,
      body: { code: "invalid" },
    });
    expect(await refused({ policy: present, to: "2020-01-01T00:00:00Z" })).toMatchObject({ status: 422 });
    expect(await refused({ draft: "dr_none" })).toMatchObject({ status: 404 });
    expect(await refused({})).toMatchObject({ status: 422 });
    expect(await ask("GET", "/v1/backtests/bk_none")).toMatchObject({ status: 404 });
    await rest(10);
  });
});

describe("undoing a version of the policy", () => {
  interface Undone {
    readonly withdrawn: readonly { follow_up: string; close_tasks: readonly string[] }[];
    readonly left: readonly unknown[];
    readonly next_cursor: string | null;
  }
  const undo = (version: number, body: object) =>
    api<Undone>("POST", `/v1/policy/versions/${version}/undo`, acme.apiKey, { by: "kim@example.com", ...body });
  const openTasks = async () => (await personOf(acme, email("ada@example.com"))).root.follow_ups[0];

  it("first tells what it would do, then withdraws what nobody touched and closes its task; what somebody changed in the CRM is left, and listed", async () => {
    await eventually(openTasks, (item) => item?.actions[0]?.state === "done");
    const told = await undo(1, { dry_run: true });
    expect(told.withdrawn).toHaveLength(2);
    expect((await openTasks())?.state).toBe("open");

    const [bob] = (await personOf(acme, email("bob@example.com"))).root.follow_ups;
    const changed = crm.tasks.find(({ key }) => bob !== undefined && key.startsWith(bob.id));
    if (changed === undefined) throw new Error("no task");
    changed.subject = "Call Bob about the offer";

    const done = await undo(1, {});
    expect(done).toEqual({ ...told, dry_run: false });
    const closed = await eventually(openTasks, (item) => item?.actions[0]?.state === "cancelled");
    expect(closed).toMatchObject({
      state: "cancelled",
      closed_because: "undone: policy version 1, says kim@example.com",
    });
    const again = await eventually(
      () => undo(1, {}),
      ({ withdrawn }) => withdrawn.length === 0,
    );
    const because = "somebody changed its task in hubspot (subject)";
    expect(again.left).toMatchObject([{ follow_up: bob?.id, holder: bob?.holder, because }]);
    expect(changed).toMatchObject({ open: true, subject: "Call Bob about the offer" });
  });

  it("is refused for a version that never was, and without a name", async () => {
    const url = (version: string) => `/v1/policy/versions/${version}/undo`;
    expect(await ask("POST", url("99"), { by: "kim@example.com" })).toMatchObject({ status: 404 });
    expect(await ask("POST", url("x"), { by: "kim@example.com" })).toMatchObject({ status: 404 });
    expect(await ask("POST", url("1"), {})).toMatchObject({ status: 422 });
  });
});
