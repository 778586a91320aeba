import { describe, expect, it } from "vitest";
import { defaultPolicy } from "../../src/decide/default-policy.ts";
import { emptyLead, foldSignal } from "../../src/resolve/lead.ts";
import { heeded, heededApart } from "../../src/resolve/refusals.ts";
import { signal } from "../signals.ts";
import { recordOf, rootOf } from "../states.ts";

const policy = defaultPolicy(["sam@example.com"]);
const leadWith = (consent: object) => foldSignal(emptyLead, signal({ id: "no", kind: "unsubscribed", consent }));
const call = recordOf({ id: "fu_call", play: "speed to lead" });
const mail = recordOf({ id: "fu_mail", play: "product interest" });
const states = (root: { readonly follow_ups: readonly { readonly id: string; readonly state: string }[] }) =>
  root.follow_ups.map(({ id, state }) => [id, state]);

describe("a no", () => {
  it("to everything withdraws whatever is open", () => {
    const root = rootOf("acme/1", { lead: leadWith({ follow_up: false }), follow_ups: [call, mail] });
    expect(heeded(root, policy, 7_000).follow_ups).toMatchObject([
      { id: "fu_call", state: "cancelled", closed_because: "This person asked not to be contacted.", closed_at: 7_000 },
      { id: "fu_mail", state: "cancelled" },
    ]);
  });

  it("to calls withdraws calls", () => {
    const root = rootOf("acme/1", { lead: leadWith({ purposes: { call: false } }), follow_ups: [call, mail] });
    expect(states(heeded(root, policy, 7_000))).toEqual([
      ["fu_call", "cancelled"],
      ["fu_mail", "open"],
    ]);
  });

  it("leaves alone what is done, and somebody who said yes", () => {
    const done = rootOf("acme/1", { lead: leadWith({ follow_up: false }), follow_ups: [{ ...call, state: "done" }] });
    expect(heeded(done, policy, 7_000)).toBe(done);
    const willing = rootOf("acme/1", { lead: leadWith({ follow_up: true }), follow_ups: [call] });
    expect(heeded(willing, policy, 7_000)).toBe(willing);
  });

  it("holds for whoever leaves with a split as for whoever stays", () => {
    const left = rootOf("acme/2", { lead: leadWith({ follow_up: false }), follow_ups: [call] });
    const stays = rootOf("acme/1", {
      follow_ups: [mail],
      partings: [{ id: "sp_1", to: "acme/2", root: left, staying: [] }],
    });
    const next = heededApart(stays, policy, 7_000);
    expect(states(next)).toEqual([["fu_mail", "open"]]);
    expect(states(next.partings[0]?.root ?? left)).toEqual([["fu_call", "cancelled"]]);
  });
});
