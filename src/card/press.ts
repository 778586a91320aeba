/**
 * What the buttons do. Each is one word to the lead's object, which hears a press once (`request`) and does not let anybody say
 * something of what they could not see any more; or what people say of who is who. So every press may come again, after any crash.
 */
import { ask } from "../api/answers.ts";
import { closeQuestion } from "../api/people.ts";
import { viewOf } from "../api/read.ts";
import { cutLink, type Settled, settlePair } from "../api/who-is-who.ts";
import type { Env } from "../env.ts";
import type { ProblemDetails, ProblemStatus } from "../ingest/problem.ts";
import { ledgerOf } from "../ledger/shards.ts";
import type { AnswerAnswer, AnswerCall } from "../objects/answering.ts";
import type { Word } from "../resolve/answers.ts";
import type { Root } from "../resolve/node.ts";
import { tieId } from "../resolve/ties.ts";
import type { Caller } from "./caller.ts";
import type { Press } from "./document.ts";
import { likelyOf } from "./neighbours.ts";
import { nextAttemptAt } from "./next-attempt.ts";
import { capital, minuteOf, nameOf } from "./words.ts";

export type Done =
  | { readonly status: "ok" | "under_way"; readonly text: string }
  | { readonly refused: ProblemStatus; readonly details: ProblemDetails };

export function press(env: Env, caller: Caller, given: Press): Promise<Done> {
  switch (given.choice) {
    case "merge":
    case "keep_apart":
      return sayWhoIsWho(env, caller, given, given.choice);
    case "split":
      return split(env, caller, given);
    default:
      return sayOfFollowUp(env, caller, given);
  }
}

/* ------------------------------------------------------------------------------------------ of a follow-up */

async function sayOfFollowUp(env: Env, caller: Caller, given: Press): Promise<Done> {
  const { follow_up } = given;
  if (follow_up === undefined) return invalid("The card did not say which follow-up is meant.");
  const word = await wordOf(env, caller, given, follow_up);
  if ("refused" in word) return word;
  const call: AnswerCall = {
    follow_up,
    word: word.word,
    by: caller.viewer,
    at: Date.now(),
    request: given.request,
    unaware: true,
  };
  const answer = await tell(env, caller, given.lead, call);
  switch (answer?.arm) {
    case "ok":
      return { status: "ok", text: word.text };
    case "refused":
      return notPossible(withNames(answer.detail));
    case "unknown":
      return notPossible("This follow-up is not known (any more). Reload the card.");
    default:
      return busy();
  }
}

/** Since the card was shown, a split may have made the follow-up somebody else's: the ledger knows whose. */
async function tell(env: Env, { workspace }: Caller, lead: string, call: AnswerCall): Promise<AnswerAnswer | null> {
  const answer = await ask(env, lead, call);
  if (answer?.arm !== "unknown" || !("follow_up" in call)) return answer;
  const row = await ledgerOf(env, workspace.shard)
    .prepare("SELECT lead FROM follow_ups WHERE workspace = ? AND id = ?")
    .bind(workspace.id, call.follow_up)
    .first<{ lead: string }>();
  return row === null || row.lead === lead ? answer : ask(env, row.lead, call);
}

type Worded = { readonly word: Word; readonly text: string } | Extract<Done, { refused: ProblemStatus }>;

async function wordOf(env: Env, caller: Caller, given: Press, followUp: string): Promise<Worded> {
  const { choice, reason } = given;
  const because = reason === undefined ? "" : `: ${reason}`;
  switch (choice) {
    case "claim":
      return { word: { choice }, text: "It is yours." };
    case "reached":
      return { word: { choice: "done", outcome: "contacted" }, text: "Noted: you reached them." };
    case "replied":
      return { word: { choice: "done", outcome: "replied" }, text: "Noted: they replied." };
    case "converted":
      return { word: { choice: "done", outcome: "converted" }, text: "Noted: they converted." };
    case "not_a_fit":
      return {
        word: { choice: "done", outcome: "not_a_fit", ...(reason === undefined ? {} : { note: reason }) },
        text: "Noted: not a fit. The follow-up is closed.",
      };
    case "wrong_person":
      return {
        word: { choice: "dismiss", reason: `wrong person${because}` },
        text: "Noted: the wrong person. The follow-up is closed.",
      };
    case "snooze": {
      if (given.until === undefined) return invalid("Say until when.");
      const until = Date.parse(given.until);
      return { word: { choice, until }, text: `Put off until ${minuteOf(until)}.` };
    }
    case "no_answer": {
      const view = await viewOf(env, given.lead);
      const item = view?.root.follow_ups.find(({ id }) => id === followUp) ?? { play: "", holder: caller.viewer };
      const until = nextAttemptAt(caller.policy, item, Date.now());
      return { word: { choice, until }, text: `Noted: no answer. It is due again on ${minuteOf(until)}.` };
    }
    case "hand_over": {
      const to = caller.colleagues.find((address) => address.toLowerCase() === given.to?.toLowerCase());
      if (to === undefined)
        return invalid("It can be handed to a colleague whom Baton's policy and the CRM both know.");
      return { word: { choice: "reassign", to }, text: `Handed over to ${nameOf(to)}.` };
    }
    case "merge":
    case "keep_apart":
    case "split":
      return invalid("This is not said of a follow-up.");
  }
}

/* ------------------------------------------------------------------------------------------ who is who */

async function sayWhoIsWho(env: Env, caller: Caller, given: Press, choice: "merge" | "keep_apart"): Promise<Done> {
  const { workspace, policy, viewer } = caller;
  const other = given.with;
  if (other === undefined) return invalid("The card did not say who the other one is.");
  if (!other.startsWith(`${workspace.id}/`)) return unknownLead();
  const [mine, theirs] = await Promise.all([viewOf(env, given.lead), viewOf(env, other)]);
  const contrary = mine === null ? null : contraryWord(mine.root, theirs?.root ?? null, other, choice, viewer);
  if (contrary !== null) return notPossible(contrary);
  const settled = await settlePair(env, policy.identity, [given.lead, other], choice, viewer);
  const done = saidOf(settled, mine?.root ?? null);
  if ("refused" in done) return done;
  const ledger = ledgerOf(env, workspace.shard);
  const pair = [namesOf(mine?.root, given.lead), namesOf(theirs?.root, other)] as const;
  for (const { id, a, b } of await likelyOf(ledger, workspace.id, pair.flat())) {
    const isThis = pair.some((one, at) => one.includes(a) && (pair[1 - at]?.includes(b) ?? false));
    if (isThis) await closeQuestion(ledger, workspace.id, id, { choice, by: viewer, reason: given.reason });
  }
  return done;
}

function namesOf(root: Root | undefined, name: string): readonly string[] {
  return root === undefined ? [name] : [root.name, ...root.members, name];
}

/** Somebody else has said the opposite, and this viewer may not have seen it. */
function contraryWord(
  mine: Root,
  theirs: Root | null,
  other: string,
  choice: "merge" | "keep_apart",
  viewer: string,
): string | null {
  if (theirs?.name === mine.name) return null;
  const sides = [
    { of: mine, nodes: namesOf(theirs ?? undefined, other) },
    ...(theirs === null ? [] : [{ of: theirs, nodes: namesOf(mine, mine.name) }]),
  ];
  for (const { of, nodes } of sides) {
    const apart = of.apart.find((item) => item.state === "kept_apart" && nodes.includes(item.node));
    const by = apart?.settled_by;
    if (choice === "merge" && by !== undefined && by !== viewer)
      return `${nameOf(by)} has said that they are two people. If that is wrong, revenue operations can join them.`;
    const link = of.links.find(({ node, authority }) => authority.type === "person" && nodes.includes(node));
    if (choice === "keep_apart" && link !== undefined && link.by !== `person:${viewer}`)
      return `${nameOf(link.by.replace(/^person:/, ""))} has just said that they are one person.`;
  }
  return null;
}

function saidOf(settled: Settled, mine: Root | null): Done {
  switch (settled.arm) {
    case "one":
      return { status: "ok", text: "They are one person." };
    case "owed":
      return { status: "under_way", text: "They are being made one person; that takes a moment." };
    case "apart":
      return { status: "ok", text: "They are two people, and no signal joins them." };
    case "no_such_lead":
      return unknownLead();
    case "same_lead":
      return invalid("That is this very person; name the other one.");
    case "already_one": {
      const by = mine?.ties.find((tie) => tieId(tie) === settled.link)?.by ?? "";
      const who = by.startsWith("person:") ? `${nameOf(by.slice("person:".length))} has made them` : "They are";
      return notPossible(`${who} one person already; “Split” makes them two again.`);
    }
    case "too_many_members":
      return notPossible("Together they would have more identifiers than one person can have.");
    case "under_way":
      return busy();
  }
}

async function split(env: Env, { viewer }: Caller, { lead, link }: Press): Promise<Done> {
  if (link === undefined) return invalid("The card did not say which join is to be undone.");
  const cut = await cutLink(env, lead, { link, by: viewer });
  switch (cut.arm) {
    case "split":
      return { status: "ok", text: "They are two people again." };
    case "no_such_lead":
      return unknownLead();
    case "no_such_link":
      return notPossible("Nothing is joined there (any more). Reload the card.");
    case "under_way":
      return busy();
  }
}

/* ------------------------------------------------------------------------------------------ refusals */

function invalid(detail: string): Extract<Done, { refused: ProblemStatus }> {
  return { refused: 422, details: { code: "invalid", detail } };
}

function notPossible(detail: string): Done {
  return { refused: 409, details: { code: "not_possible", detail } };
}

function unknownLead(): Done {
  return notPossible("This person is not known (any more). Reload the card.");
}

function busy(): Done {
  return {
    refused: 409,
    details: { code: "busy", detail: "Something of this person is changing; try again in a moment." },
  };
}

/** Objects know people by address; sellers by name. */
function withNames(detail: string): string {
  return capital(detail.replace(/[^\s:,]+@[^\s:,]+\w/g, nameOf));
}
