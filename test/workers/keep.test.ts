/** Quiet accounts: their refresh tokens would end unused. */
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { keepConnections } from "../../src/install/keep.ts";
import { connect, letPass, openWorkspace } from "./fixture.ts";
import { RecordingCrm } from "./recording-crm.ts";

const weekMs = 7 * 86_400_000;

/** A day of the cron, every five minutes. */
async function aDay(from: number): Promise<void> {
  for (let slot = 0; slot < 288; slot++) await keepConnections(env, from + slot * 300_000);
}

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("an account through which nothing leaves", () => {
  it("is refreshed once a week, and not before", async () => {
    const crm = new RecordingCrm();
    await openWorkspace("quiet", { crm });
    const begun = Date.now();
    await aDay(begun);
    expect(crm.refreshed).toBe(0);
    letPass(weekMs + 1_000);
    await aDay(begun + weekMs);
    expect(crm.refreshed).toBe(1);
    await aDay(begun + weekMs);
    expect(crm.refreshed).toBe(1);
  });

  it("is left alone when it is disconnected", async () => {
    const crm = new RecordingCrm();
    const of = await openWorkspace("left", { crm });
    await env.CONTROL.prepare("UPDATE crm_accounts SET status = 'removed' WHERE object = ?").bind(of.account).run();
    letPass(weekMs + 1_000);
    await aDay(Date.now());
    expect(crm.refreshed).toBe(0);
  });

  it("does not keep the others from being refreshed where it cannot be", async () => {
    const crm = new RecordingCrm();
    await openWorkspace("sound", { crm });
    const broken = new RecordingCrm();
    broken.refreshFails = { arm: "unknown", reason: "http_503" };
    await connect("sound", broken, "salesforce");
    letPass(weekMs + 1_000);
    await aDay(Date.now());
    expect(crm.refreshed).toBeGreaterThan(0);
    expect(broken.refreshed).toBeGreaterThan(0);
  });
});
