/** A power cut under load: what was acknowledged is there afterwards, and every person still gets exactly one task. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { demo, trial } from "../../src/local/crowd.ts";
import { Gun, inParallel, type Shot } from "../../src/local/load.ts";
import { scratchFolder } from "../../src/local/scratch.ts";
import { type Seeded, seedWorkspace } from "../../src/local/seed.ts";
import { openStage, type Stage } from "../../src/local/stage.ts";

let stage: Stage;
let workspace: Seeded;

beforeAll(async () => {
  stage = await openStage({ folder: scratchFolder("kill"), salesTeam: ["sam@example.com"] });
  await fetch(`${stage.hubspot.url}/admin/reset`, {
    method: "POST",
    body: JSON.stringify({ autoConsent: true, enforceLimits: false }),
  });
  workspace = await seedWorkspace(stage.engine.url, stage.adminToken, {
    id: "killed",
    salesTeam: ["sam@example.com"],
    crms: ["hubspot"],
    emitters: [
      { name: "website", vendor: "segment" },
      { name: "forms", vendor: "typeform", secrets: ["crowd-typeform-secret"], settings: { kind: "demo_requested" } },
    ],
  });
});

afterAll(() => stage.close());

it("loses nothing that was acknowledged, and doubles nothing, over three SIGKILLs", async () => {
  const acknowledged: Shot[] = [];
  const people = new Set<string>();
  for (let round = 0; round < 3; round++) {
    const gun = new Gun(Number(new URL(stage.engine.url).port), 16);
    const shots = Array.from({ length: 400 }, (_, index) => {
      const email = `k${round}-${index % 200}@example.com`;
      return {
        email,
        shot:
          index < 200 ? demo(workspace, `k-${round}-${index}`, email) : trial(workspace, round * 1_000 + index, email),
      };
    });
    let sent = 0;
    let killed: Promise<void> | null = null;
    await inParallel(shots, 16, async ({ email, shot }) => {
      sent++;
      if (sent === 150) killed = stage.killAndRestart();
      try {
        const landed = await gun.fire(shot);
        if (landed.status >= 300) return;
        acknowledged.push(shot);
        people.add(email);
      } catch {
        // The connection broke: not acknowledged, and the sender of a real webhook would send it again.
      }
    });
    await killed;
    gun.close();
  }
  expect(acknowledged.length).toBeGreaterThan(100);

  // Every acknowledged signal is known: sent again, it is a duplicate.
  const gun = new Gun(Number(new URL(stage.engine.url).port), 16);
  let missing = 0;
  await inParallel(acknowledged, 16, async (shot) => {
    const landed = await gun.fire(shot);
    const answer = JSON.parse(landed.text) as { accepted: number; duplicates: number };
    if (answer.duplicates !== 1) missing++;
  });
  gun.close();
  expect(missing).toBe(0);

  // And everybody whose signal was acknowledged has exactly one task.
  const until = Date.now() + 90_000;
  let perPerson = new Map<string, number>();
  while (Date.now() < until) {
    perPerson = new Map();
    for (const task of stage.tasks("hubspot"))
      for (const email of task.emails) perPerson.set(email, (perPerson.get(email) ?? 0) + 1);
    if ([...people].every((email) => perPerson.has(email))) break;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
  expect([...people].filter((email) => !perPerson.has(email))).toEqual([]);
  expect([...perPerson].filter(([, count]) => count > 1)).toEqual([]);
});
