import { describe, expect, it } from "vitest";
import type { Command } from "../../connectors/contract.ts";
import { reopened, wordsOf } from "../../src/act/again.ts";
import { type Action, heldBy, madeFor, newAction } from "../../src/act/exactly-once.ts";

const task = { subject: "Call Ada", body: "", dueAt: 0, priority: "high", type: "call" } as const;
const inWords = (subject: string, lead = "acme/1"): Command => ({
  type: "create_task",
  key: "fu_1-aa",
  person: { lead },
  task: { ...task, subject },
});
const refused = (attempts: number): Action => ({
  ...newAction({ command: inWords("Call Ada"), holder: "sam@example.com", node: "acme/1", hot: true }),
  command: { ...inWords("Call Ada"), task: { ...task, ownerId: "7" } } as Command,
  state: "parked",
  attempts,
});
const call = (subject: string, again = 1) => ({
  command: inWords(subject),
  holder: "kim@example.com",
  again,
});

describe("what was refused and is tried again in other words", () => {
  it("is asked for in the first ones where an attempt may have made its task with them", () => {
    expect(wordsOf(refused(2), call("Call Grace"))).toEqual(task);
  });

  it("goes on where the words are the same, whoever it is for", () => {
    expect(wordsOf(refused(2), call("Call Ada"))).toBeNull();
  });

  it("goes on in the new words where no attempt can have made anything", () => {
    expect(wordsOf(refused(0), call("Call Grace"))).toBeNull();
    expect(reopened(refused(0), call("Call Grace"))?.command).toEqual(inWords("Call Grace"));
  });

  it("is not opened by somebody who asks for what was refused before a person had it tried again", () => {
    expect(wordsOf(refused(2), call("Call Grace", 0))).toBeNull();
    expect(reopened(refused(2), call("Call Grace", 0))?.state).toBe("parked");
  });

  it("is looked up before anything is sent where its task may stand, and counts as not yet looked for", () => {
    expect(reopened({ ...refused(2), lookups: 4, emptyReads: 2 }, call("Call Ada"))).toMatchObject({
      state: "intent",
      holder: "kim@example.com",
      lookups: 0,
      emptyReads: 0,
    });
  });
});

describe("whose an action is", () => {
  const atFirst = newAction({ command: inWords("Call Ada"), holder: "sam@example.com", node: "acme/1", hot: true });
  const moved = heldBy(atFirst, { node: "acme/2", moves: 2 });

  it("is the identity's that it moved to last", () => {
    expect(moved).toMatchObject({ node: "acme/2", moves: 2 });
  });

  it("stays so when whoever had it before asks again, late", () => {
    expect(heldBy(moved, { node: "acme/1" })).toBe(moved);
    expect(heldBy(moved, { node: "acme/3", moves: 1 })).toBe(moved);
  });

  it("is for that one's person, where nothing of it left", () => {
    const split = { node: "acme/2", moves: 1, command: inWords("Call Grace", "acme/2") };
    expect(heldBy(atFirst, split).command).toEqual(inWords("Call Ada", "acme/2"));
    expect(heldBy({ ...moved, moves: 3 }, split).command).toEqual(inWords("Call Ada"));
  });

  it("is looked for with the person with whom it was tried", () => {
    const tried = { ...atFirst, state: "intent" as const };
    expect(madeFor(tried, { lead: "acme/2" })).toBe(tried);
    expect(madeFor(atFirst, { lead: "acme/2" }).command).toEqual(inWords("Call Ada", "acme/2"));
  });
});
