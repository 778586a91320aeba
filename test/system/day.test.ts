/** The demo's whole day on the whole engine: what it promises, and that every decision of it comes out of history again (G10). */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, expect, it } from "vitest";
import { policyShape } from "../../src/decide/policy.ts";
import type { JournalEntry } from "../../src/ledger/rows.ts";
import { salesTeam } from "../../src/local/day.ts";
import { type Played, playDay } from "../../src/local/play.ts";
import { reportOf } from "../../src/local/report.ts";
import { scratchFolder } from "../../src/local/scratch.ts";
import { call } from "../../src/local/seed.ts";
import { openStage, type Stage } from "../../src/local/stage.ts";
import { type MadeAgain, madeAgain } from "../prove/recompute.ts";

const folder = scratchFolder("day");
let stage: Stage;
let played: Played;
let decisions: readonly MadeAgain[];

beforeAll(async () => {
  stage = await openStage({ folder, salesTeam });
  // The people, the stories and the deliveries of `npm start`, in fewer seconds.
  played = await playDay(stage, { people: 300, seconds: 8, seed: 1, say: () => undefined });
  const entries = rowsOf("SELECT entries FROM journal WHERE workspace = ? ORDER BY id", played.workspace);
  const policies = rowsOf("SELECT document FROM policies WHERE workspace = ?", played.workspace);
  decisions = madeAgain(
    entries.flatMap((row) => JSON.parse(row.entries ?? "") as JournalEntry[]),
    policies.map((row) => policyShape.parse(JSON.parse(row.document ?? ""))),
  );
});

afterAll(() => stage.close());

/** From the database on disk that has the table: what the ledger keeps, past everything that could make it look right. */
function rowsOf(query: string, workspace: string): readonly Readonly<Record<string, string>>[] {
  const table = /FROM (\w+)/.exec(query)?.[1] ?? "";
  for (const name of readdirSync(join(folder, "state"), { recursive: true, encoding: "utf8" })) {
    if (!name.endsWith(".sqlite")) continue;
    const database = new DatabaseSync(join(folder, "state", name), { readOnly: true });
    try {
      const known = database.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?").get(table);
      if (known !== undefined)
        return database.prepare(query).all(workspace) as unknown as readonly Readonly<Record<string, string>>[];
    } finally {
      database.close();
    }
  }
  throw new Error(`no database of the engine has the table ${table}`);
}

it("gives everybody who asked one task in each CRM, and nobody else any", async () => {
  const { missing, doubled } = await reportOf(stage, played);
  expect({ missing, doubled }).toEqual({ missing: 0, doubled: 0 });
});

it("has every decision made again from history to the same bytes", () => {
  expect(decisions.length).toBeGreaterThan(300);
  expect(new Set(decisions.map(({ decision }) => decision.outcome))).toContain("follow_up");
  expect(decisions.filter(({ isKept }) => !isKept).map(({ decision }) => decision.id)).toEqual([]);
});

it("says so of a decision to whoever asks why", async () => {
  for (const { decision } of decisions.filter((_item, index) => index % 50 === 0)) {
    const path = `/v1/decisions/${decision.id}/why?at=${new Date(decision.at).toISOString()}`;
    const told = await call<{ why: { recomputed: boolean } }>(stage.engine.url, "GET", path, played.apiKey);
    expect([decision.id, told.why.recomputed]).toEqual([decision.id, true]);
  }
});
