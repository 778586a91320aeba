/**
 * What people say about a lead's follow-ups and about the questions it raised, and what the state becomes of it. Saying the same twice
 * changes nothing; what cannot be said of something is refused with a sentence. Pure.
 */
import { type Approval, isForConsent } from "../decide/hold.ts";
import type { Priority } from "../model.ts";
import { type FieldQuestion, questionsOf } from "./field-questions.ts";
import {
  type ActionRecord,
  cancelFollowUp,
  changeFollowUp,
  type FollowUpRecord,
  type Held,
  hasCrm,
  type Root,
  revised,
  type Said,
  type Target,
  type Utterance,
  withTargets,
} from "./node.ts";
import { overdueQuestion } from "./overdue.ts";
import { isCrm, isTask } from "./targets.ts";

/** What an approver may change about the follow-up that then leaves. */
export interface Edit {
  readonly holder?: string | undefined;
  readonly priority?: Priority | undefined;
  /** Epoch ms. */
  readonly due_at?: number | undefined;
}

export type Way =
  /** What a hold stopped may leave, as it is or changed. */
  | { readonly choice: "approve"; readonly edit?: Edit | undefined }
  /** To the CRM once more. */
  | { readonly choice: "retry" }
  /** Somebody else holds it. */
  | { readonly choice: "reassign"; readonly to: string }
  /** Somebody takes the question over; it is theirs for `due_in_ms`. */
  | { readonly choice: "take"; readonly to: string; readonly due_in_ms: number }
  /** Of several values that were told of a field this one is right. The signal that says so has been heard before. */
  | { readonly choice: "choose"; readonly value: string }
  | { readonly choice: "dismiss"; readonly reason: string };

export type Word =
  | { readonly choice: "done"; readonly outcome: string; readonly note?: string | undefined }
  | { readonly choice: "dismiss"; readonly reason: string }
  | { readonly choice: "reassign"; readonly to: string }
  /** The speaker holds it from now on, unless somebody else has claimed it. */
  | { readonly choice: "claim" }
  | { readonly choice: "snooze"; readonly until: number }
  /** Tried, and to be tried again then: no contact was made, so the promise goes on. */
  | { readonly choice: "no_answer"; readonly until: number }
  /** What the policy did is taken back, but for what a person has touched. */
  | { readonly choice: "undo"; readonly reason: string };

export interface Speaker {
  /** Address. */
  readonly by: string;
  readonly at: number;
  /** Name of the press of a button that says it: heard once. */
  readonly request?: string;
  /** Says it of what they saw a moment ago: what somebody else has said since stands, and they are told. */
  readonly unaware?: boolean;
}

export type Answered =
  | { readonly arm: "ok"; readonly root: Root }
  | { readonly arm: "unknown" }
  | { readonly arm: "refused"; readonly detail: string };

/** An approval counts for so long: whoever gave it meant what lies before them. */
const approvalMs = 30 * 86_400_000;

/** Answers the exception of this id, if it is one of this lead's. */
export function settleException(
  root: Root,
  id: string,
  way: Way,
  speaker: Speaker,
  targets: readonly Target[],
): Answered {
  const held = root.held.find((item) => item.id === id);
  if (held !== undefined) return settleHold(root, held, way, speaker);
  const question = questionsOf(root).find((one) => one.id === id);
  if (question !== undefined) return settleField(root, question, way, speaker);
  const item = root.follow_ups.find(
    (followUp) =>
      id === `ex_${followUp.id}` ||
      id === ownerQuestion(followUp.id) ||
      id === overdueQuestion(followUp.id) ||
      followUp.actions.some(({ key }) => id === `ex_${key}`),
  );
  return item === undefined ? { arm: "unknown" } : settleFollowUp(root, item, id, way, speaker, targets);
}

function settleHold(root: Root, held: Held, way: Way, speaker: Speaker): Answered {
  if (way.choice === "take") return taken(root, held.id, way, speaker);
  if (way.choice === "retry" || way.choice === "reassign")
    return refused("A hold is approved or dismissed; who holds the follow-up can be said with the approval.");
  if (way.choice === "choose") return refused(noValues);
  if (held.state === "closed") return settledBefore(root, held.id, way);
  const closed = root.held.map((item): Held => (item.id === held.id ? { ...item, state: "closed" } : item));
  if (way.choice === "dismiss") return settled({ ...root, held: closed }, held.id, "dismissed", way.reason, speaker);
  if (isForConsent(held.code))
    return refused("Consent is the person's own to give; nobody can approve in their place.");
  const approval: Approval = {
    code: held.code,
    by: speaker.by,
    at: speaker.at,
    until: speaker.at + approvalMs,
    ...(way.edit === undefined ? {} : { edit: way.edit }),
  };
  const known = new Set(root.undecided.map((item) => item.key));
  const again = held.signals
    .filter((key) => !known.has(key))
    .map((key) => ({ key, decide_at: speaker.at, waiting: false }));
  return settled(
    { ...root, held: closed, approvals: [...root.approvals, approval], undecided: [...root.undecided, ...again] },
    held.id,
    way.edit === undefined ? "approved" : "edited_and_approved",
    "",
    speaker,
  );
}

function settleField(root: Root, { id, closed_in }: FieldQuestion, way: Way, speaker: Speaker): Answered {
  if (way.choice === "take") return taken(root, id, way, speaker);
  if (way.choice !== "choose" && way.choice !== "dismiss")
    return refused("Choose one of the values or give another; or take the question over, or dismiss it.");
  const [how, note] = way.choice === "choose" ? ["chosen", way.value] : ["dismissed", way.reason];
  const said = root.said[id]?.settled;
  if (said !== undefined && said.how !== how) return refused(`This is settled already: ${said.how}.`);
  // Its own answer may have closed it a moment ago.
  if (closed_in !== undefined && way.choice === "dismiss" && said === undefined) return refused(overtaken);
  const version = root.version + 1;
  const questions = questionsOf(root).map((item) =>
    item.id === id ? { ...item, closed_in: item.closed_in ?? version } : item,
  );
  return settled(said === undefined ? { ...root, questions } : root, id, how, note, speaker);
}

/** The same once more changes nothing; anything else comes too late. */
function settledBefore(root: Root, id: string, { choice }: Way): Answered {
  const how = root.said[id]?.settled?.how;
  const isSame = choice === "dismiss" ? how === "dismissed" : how === "approved" || how === "edited_and_approved";
  return isSame ? { arm: "ok", root } : refused(`This is settled already${how === undefined ? "" : `: ${how}`}.`);
}

function settleFollowUp(
  root: Root,
  item: FollowUpRecord,
  id: string,
  way: Way,
  speaker: Speaker,
  targets: readonly Target[],
): Answered {
  const isLate = id === overdueQuestion(item.id);
  switch (way.choice) {
    case "take":
      return taken(root, id, way, speaker);
    case "choose":
      return refused(noValues);
    case "approve":
      return refused(`There is nothing to approve: ${isLate ? "" : "try again, "}give it to somebody, or dismiss it.`);
    case "reassign": {
      if (item.state !== "open") return refused(closedAlready);
      // Only who has it was the question here; what the CRM refused goes there once more, as the other one's.
      const next = triedAgain(held(root, item, way.to, speaker), item.id, id, speaker.at);
      return settled(next, id, "reassigned", way.to, speaker, isLate || id === ownerQuestion(item.id));
    }
    case "dismiss": {
      const stands = item.actions.some(isStanding);
      const isMessage = item.actions.some((action) => id === `ex_${action.key}` && !isTask(action));
      const because = `dismissed: ${way.reason}`;
      // Where the other CRM has its task, that one stays; what is late is still to be done. Only this question is closed.
      const next =
        isLate || isMessage || stands || item.state !== "open"
          ? root
          : cancelFollowUp(root, item.id, because, speaker.at);
      return settled(next, id, "dismissed", way.reason, speaker);
    }
    case "retry": {
      if (isLate) return refused("Nothing was refused that could be tried again: give it to somebody, or dismiss it.");
      if (id === ownerQuestion(item.id))
        return refused("Nobody was found to take it: give it to somebody, or dismiss it.");
      if (id === `ex_${item.id}`) {
        if (hasCrm(item)) return { arm: "ok", root };
        if (item.state !== "open") return refused(closedAlready);
        const crms = targets.filter(({ crm }) => isCrm(crm));
        if (crms.length === 0) return refused("No CRM is connected yet; connect one and try again.");
        return settled(withTargets(root, item.id, crms, speaker.at), id, "retried", "", speaker);
      }
      return settled(triedAgain(root, item.id, id, speaker.at), id, "retried", "", speaker, false);
    }
  }
}

/** The action that this question is about, if a CRM has refused it, goes there once more. */
function triedAgain(root: Root, followUp: string, id: string, at: number): Root {
  const isRefused = ({ key, state }: ActionRecord) => id === `ex_${key}` && state === "parked";
  if (!root.follow_ups.some((item) => item.id === followUp && item.actions.some(isRefused))) return root;
  return changeFollowUp(root, followUp, (item) => ({
    ...item,
    actions: item.actions.map((action) =>
      isRefused(action) ? { ...action, state: "pending", retry_at: at, again: (action.again ?? 0) + 1 } : action,
    ),
  }));
}

/** What the holder, or whoever watches, says about a follow-up. */
export function tellFollowUp(root: Root, id: string, word: Word, speaker: Speaker): Answered {
  const item = root.follow_ups.find((followUp) => followUp.id === id);
  if (item === undefined) return { arm: "unknown" };
  if (speaker.request !== undefined && item.words?.some(({ request }) => request === speaker.request) === true)
    return { arm: "ok", root };
  const meanwhile = saidMeanwhile(item, word, speaker);
  if (meanwhile !== null) return refused(meanwhile);
  const answered = toldOf(root, item, word, speaker);
  if (answered.arm !== "ok") return answered;
  // The same by the same person: nothing is new.
  if (answered.root === root) return answered;
  return {
    arm: "ok",
    root: changeFollowUp(answered.root, id, (one) => ({ ...one, words: wordsOf(one, word, speaker) })),
  };
}

/** Two who press at once saw the same card. */
const momentMs = 60_000;
const wordsMax = 10;

/** What has become of it that this speaker did not see; null where there is nothing. */
function saidMeanwhile(item: FollowUpRecord, word: Word, { by, at, unaware }: Speaker): string | null {
  if (unaware !== true) return null;
  const last = item.words?.at(-1);
  if (last?.by === by && last.said === utteredOf(word)) return null;
  if (item.state !== "open") return `It is closed already: ${item.closed_because ?? "done"}.`;
  const isNews = last !== undefined && last.by !== by && at - last.at < momentMs;
  return isNews ? `${last.by} ${last.said} just before you.` : null;
}

function wordsOf(item: FollowUpRecord, word: Word, { by, at, request }: Speaker): readonly Utterance[] {
  const words = item.words ?? [];
  const utterance = {
    by,
    at,
    said: utteredOf(word),
    ...(word.choice === "claim" ? { claimed: true as const } : {}),
    ...(request === undefined ? {} : { request }),
  };
  return [...words, utterance].slice(-wordsMax);
}

/** What was said, after the name of whoever said it. */
export function utteredOf(word: Word): string {
  switch (word.choice) {
    case "done":
      return `closed it: ${outcomes[word.outcome] ?? word.outcome}${word.note === undefined ? "" : ` (${word.note})`}`;
    case "dismiss":
      return `dismissed it: ${word.reason}`;
    case "reassign":
      return `handed it to ${word.to}`;
    case "claim":
      return "claimed it";
    case "snooze":
      return `put it off until ${minuteOf(word.until)}`;
    case "no_answer":
      return `got no answer and tries again on ${minuteOf(word.until)}`;
    case "undo":
      return `took it back: ${word.reason}`;
  }
}

const outcomes: Readonly<Record<string, string>> = {
  contacted: "reached them",
  replied: "they replied",
  converted: "they converted",
  no_answer: "no answer",
  not_a_fit: "not a fit",
};

function minuteOf(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

function toldOf(root: Root, item: FollowUpRecord, word: Word, speaker: Speaker): Answered {
  const { id } = item;
  if (item.state !== "open") {
    const same =
      word.choice === "done"
        ? item.state === "done"
        : (word.choice === "dismiss" || word.choice === "undo") && item.state === "cancelled";
    return same ? { arm: "ok", root } : refused(closedAlready);
  }
  switch (word.choice) {
    case "done":
      return {
        arm: "ok",
        root: changeFollowUp(root, id, ({ assign: _nobodyAnyMore, ...followUp }) => ({
          ...followUp,
          state: "done",
          outcome: word.outcome,
          closed_at: speaker.at,
          closed_because: `${word.outcome}${word.note === undefined ? "" : ` (${word.note})`}, says ${speaker.by}`,
        })),
      };
    case "dismiss":
      return { arm: "ok", root: cancelFollowUp(root, id, `${word.reason}, says ${speaker.by}`, speaker.at) };
    case "reassign":
      return { arm: "ok", root: held(root, item, word.to, speaker) };
    case "claim": {
      const claim = item.words?.findLast(({ claimed }) => claimed === true);
      if (item.holder !== speaker.by && claim?.by === item.holder) return refused(`${item.holder} has claimed it.`);
      const theirs = held(root, item, speaker.by, speaker);
      // Theirs by somebody else's word until now: from here on by their own.
      if (theirs !== root || claim?.by === speaker.by) return { arm: "ok", root: theirs };
      return { arm: "ok", root: changeFollowUp(root, id, (one) => one) };
    }
    case "no_answer": {
      if (word.until <= speaker.at) return refused("That moment has passed already.");
      const last = item.words?.at(-1);
      if (last?.by === speaker.by && last.said === utteredOf(word) && item.due_at === word.until)
        return { arm: "ok", root };
      const [why, ...others] = item.reasons;
      const note = { code: "person:no_answer", text: `no answer, says ${speaker.by}` };
      const kept = others.filter(({ code, text }) => code !== note.code || text !== note.text);
      return {
        arm: "ok",
        root: changeFollowUp(root, id, (one) =>
          revised(one, {
            due_at: word.until,
            reasons: why === undefined ? [note] : [why, note, ...kept],
            touched: `${speaker.by} got no answer`,
          }),
        ),
      };
    }
    case "snooze": {
      if (word.until <= speaker.at) return refused("That moment has passed already.");
      if (word.until === item.due_at) return { arm: "ok", root };
      return {
        arm: "ok",
        root: changeFollowUp(root, id, (one) =>
          revised(one, { due_at: word.until, touched: `${speaker.by} has put it off` }),
        ),
      };
    }
    case "undo": {
      if (item.touched !== undefined) return refused(item.touched);
      if (item.undo !== undefined) return { arm: "ok", root };
      const because = `${word.reason}, says ${speaker.by}`;
      const stands = item.actions.some(isStanding);
      const undone = changeFollowUp(root, id, (one) => revised(one, { undo: { because } }));
      return { arm: "ok", root: stands ? undone : cancelFollowUp(undone, id, because, speaker.at) };
    }
  }
}

/** With this holder from now on; what the CRM shows of it follows. Where nobody had been found, or it was late, that is answered. */
function held(root: Root, item: FollowUpRecord, to: string, speaker: Speaker): Root {
  const late = overdueQuestion(item.id);
  const isAsked = item.overdue !== undefined && root.said[late]?.settled === undefined;
  const questions = [
    ...(item.assigned_by === "nobody" ? [ownerQuestion(item.id)] : []),
    ...(isAsked && item.holder !== to ? [late] : []),
  ];
  const how = { by: speaker.by, how: "reassigned", note: to };
  const answered = questions.reduce((next, question) => saidOf(next, question, how, speaker), root);
  if (item.holder === to && item.assign === undefined && item.assigned_by !== "nobody") return root;
  return changeFollowUp(answered, item.id, ({ assign: _said, ...followUp }) => {
    const change = { holder: to, assigned_by: "person", reassigned: true } as const;
    return item.holder === to ? { ...followUp, ...change } : revised(followUp, change);
  });
}

/** Id of the exception that nobody could be found for this follow-up. */
export function ownerQuestion(followUp: string): string {
  return `ex_${followUp}-owner`;
}

/** Said again while it is theirs anyway, it is not theirs for longer. */
function taken(root: Root, id: string, { to, due_in_ms }: Extract<Way, { choice: "take" }>, { at }: Speaker): Answered {
  const known = root.said[id];
  if (known?.taken?.by === to && at < known.taken.at + due_in_ms) return { arm: "ok", root };
  const said: Said = { ...known, taken: { by: to, at }, at };
  return { arm: "ok", root: { ...root, version: root.version + 1, said: { ...root.said, [id]: said } } };
}

/** `final` is false where the same may come again: what the CRM refuses once more is a question once more. */
function settled(root: Root, id: string, how: string, note: string, speaker: Speaker, final = true): Answered {
  const known = root.said[id]?.settled;
  // Who said it first stays.
  if (!final || (known?.how === how && known.note === note)) return { arm: "ok", root };
  return { arm: "ok", root: saidOf(root, id, { by: speaker.by, how, note }, speaker) };
}

function saidOf(root: Root, id: string, settledSo: NonNullable<Said["settled"]>, { at }: Speaker): Root {
  const said = { ...root.said, [id]: { ...root.said[id], settled: settledSo, at } };
  return { ...root, version: root.version + 1, said };
}

/** A task stands in a CRM; a message is no task. */
function isStanding(action: ActionRecord): boolean {
  return action.state === "done" && isTask(action);
}

const closedAlready = "This follow-up is closed already.";
const noValues = "There are no values here from which one could be chosen.";
/** Of a question about a field. */
export const overtaken = "It is asked no more: something newer was said of this field.";

function refused(detail: string): Answered {
  return { arm: "refused", detail };
}
