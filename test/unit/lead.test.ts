import { describe, expect, it } from "vitest";
import { canonicalJson } from "../../src/crypto.ts";
import type { Signal } from "../../src/model.ts";
import { emptyLead, foldSignal, joinLeads, type LeadFold, leadOf, lifecycleOf } from "../../src/resolve/lead.ts";
import { randomSignal, seeded, signal } from "../signals.ts";

const fold = (signals: readonly Signal[]): LeadFold => signals.reduce(foldSignal, emptyLead);

describe("the fold of a lead", () => {
  it("keeps the value of the later event, whichever arrives first", () => {
    const old = signal({ id: "1", occurred_at: 1_000, traits: { company: "Old GmbH" } });
    const young = signal({ id: "2", occurred_at: 2_000, traits: { company: "New GmbH" } });
    expect(fold([old, young]).fields.company?.value).toBe("New GmbH");
    expect(fold([young, old]).fields.company?.value).toBe("New GmbH");
  });

  it("settles events of the same instant by emitter and key, never by arrival", () => {
    const a = signal({ id: "a", occurred_at: 1_000, traits: { company: "A" } });
    const b = signal({ id: "b", occurred_at: 1_000, traits: { company: "B" } });
    expect(fold([a, b]).fields.company?.value).toBe("B");
    expect(fold([b, a]).fields.company?.value).toBe("B");
  });

  it("names the last event and its key as the lead's own", () => {
    const lead = fold([signal({ id: "2", occurred_at: 2_000 }), signal({ id: "1", occurred_at: 1_000 })]);
    expect(lead.last).toEqual({ at: 2_000, source: "forms", key: "forms:2" });
    expect(lead.first).toEqual({ at: 1_000, source: "forms", key: "forms:1" });
  });

  it("does not let an opt-out be overruled by an older opt-in that arrives later", () => {
    const optIn = signal({ id: "1", occurred_at: 1_000, consent: { follow_up: true } });
    const optOut = signal({ id: "2", occurred_at: 2_000, consent: { follow_up: false } });
    expect(fold([optOut, optIn]).consent?.value).toBe(false);
    expect(fold([optIn, optOut]).consent?.value).toBe(false);
  });

  it("ends in the same bytes for any arrival order (2,000 random histories)", () => {
    const random = seeded(7);
    for (let round = 0; round < 2_000; round++) {
      const signals = Array.from({ length: 1 + Math.floor(random() * 8) }, (_, index) =>
        randomSignal(random, `${round}-${index}`),
      );
      const shuffled = [...signals].sort(() => random() - 0.5);
      expect(canonicalJson(fold(shuffled))).toBe(canonicalJson(fold(signals)));
    }
  });

  it("joins two people's folds to what one fold of all their signals would be", () => {
    const random = seeded(11);
    for (let round = 0; round < 500; round++) {
      const signals = Array.from({ length: 8 }, (_, index) => randomSignal(random, `${round}-${index}`));
      const cut = Math.floor(random() * 9);
      const joined = joinLeads(fold(signals.slice(cut)), fold(signals.slice(0, cut)));
      expect(canonicalJson(joined)).toBe(canonicalJson(fold(signals)));
    }
  });

  it("keeps beside the newest value of a field what each of the others said of it last", () => {
    const said = (id: string, at: number, emitter: string, company: string) =>
      signal({ id, occurred_at: at, emitter, idempotency_key: `${emitter}:${id}`, traits: { company } });
    const signals = [
      said("1", 1_000, "forms", "Old Ltd"),
      said("2", 2_000, "billing", "Bill Inc"),
      said("3", 3_000, "forms", "New Ltd"),
    ];
    for (const order of [signals, [...signals].reverse()]) {
      expect(fold(order).fields.company).toEqual({
        value: "New Ltd",
        source: "forms",
        at: 3_000,
        key: "forms:3",
        others: [{ value: "Bill Inc", source: "billing", at: 2_000, key: "billing:2" }],
      });
    }
    // Of what nobody is asked about, only the newest counts.
    const country = (id: string, at: number, emitter: string) =>
      signal({ id, occurred_at: at, emitter, traits: { country: emitter } });
    expect(fold([country("1", 1, "a"), country("2", 2, "b")]).fields.country).not.toHaveProperty("others");
  });

  it("keeps the word of the latest few of many tools, the same ones in any order and however it is joined", () => {
    const random = seeded(17);
    for (let round = 0; round < 500; round++) {
      const signals = Array.from({ length: 30 }, (_, index) => {
        const emitter = `tool-${Math.floor(random() * 14)}`;
        const at = Math.floor(random() * 20);
        return signal({
          id: `${index}`,
          occurred_at: at,
          emitter,
          idempotency_key: `${emitter}:${index}`,
          traits: { company: `Company ${index}` },
        });
      });
      const whole = fold(signals);
      expect(whole.fields.company?.others).toHaveLength(7);
      const shuffled = [...signals].sort(() => random() - 0.5);
      expect(canonicalJson(fold(shuffled))).toBe(canonicalJson(whole));
      const cut = Math.floor(random() * 31);
      expect(canonicalJson(joinLeads(fold(shuffled.slice(0, cut)), fold(shuffled.slice(cut))))).toBe(
        canonicalJson(whole),
      );
    }
  });

  it("takes in one signal as joining with the lead that knows of it alone would, key by key", () => {
    const random = seeded(13);
    let lead = emptyLead;
    for (let round = 0; round < 3_000; round++) {
      if (round % 40 === 0) lead = emptyLead;
      const plain = randomSignal(random, `${round}`);
      const next: Signal = {
        ...plain,
        // Close together as well as far apart, late ones too, and of every sort.
        occurred_at: random() < 0.5 ? plain.occurred_at : 200 * 86_400_000 + Math.floor(random() * 12 * 3_600_000),
        ...(random() < 0.1 ? { consent: { purposes: { call: random() < 0.5 } } } : {}),
        ...(random() < 0.1
          ? {
              kind: "crm_records_merged",
              identifiers: [
                { type: "hubspot_contact_id", value: "1" },
                { type: "hubspot_contact_id", value: "2" },
              ],
              traits: { owner: "sam@example.com" },
              properties: { survivor: "2" },
            }
          : {}),
      };
      const folded = foldSignal(lead, next);
      expect(JSON.stringify(folded)).toBe(JSON.stringify(joinLeads(lead, leadOf(next))));
      lead = folded;
    }
  });

  it("forgets days of counts that lie more than 180 days before the last event, in any order", () => {
    const old = signal({ id: "1", occurred_at: 0 });
    const young = signal({ id: "2", occurred_at: 400 * 86_400_000 });
    for (const lead of [fold([old, young]), fold([young, old])]) {
      expect(lead.kinds.demo_requested?.count).toBe(2);
      expect(lead.kinds.demo_requested?.days).toEqual({ at: [400], times: [1] });
    }
  });
});

describe("the lifecycle state", () => {
  const stepOf = (kind: string) =>
    ({ trial_started: "trial", checkout_completed: "customer", subscription_cancelled: "churned" })[kind] as never;

  it("is the highest step that was reached", () => {
    const lead = fold([
      signal({ id: "1", kind: "checkout_completed" }),
      signal({ id: "2", kind: "trial_started", occurred_at: 9_000 }),
    ]);
    expect(lifecycleOf(lead, stepOf)).toBe("customer");
  });

  it("is churned only when the cancellation came after the last purchase", () => {
    const bought = signal({ id: "1", kind: "checkout_completed", occurred_at: 5_000 });
    const left = signal({ id: "2", kind: "subscription_cancelled", occurred_at: 6_000 });
    const back = signal({ id: "3", kind: "checkout_completed", occurred_at: 7_000 });
    expect(lifecycleOf(fold([left, bought]), stepOf)).toBe("churned");
    expect(lifecycleOf(fold([left, back, bought]), stepOf)).toBe("customer");
  });

  it("is unknown for somebody of whom nothing relevant is known", () => {
    expect(lifecycleOf(leadOf(signal({ id: "1", kind: "page_viewed" })), stepOf)).toBe("unknown");
  });
});
