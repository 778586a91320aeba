/** What can be done now, and why not where it cannot. The object that is told decides in the end (`resolve/answers.ts`). Pure. */
import type { FollowUpRecord } from "../resolve/node.ts";
import type { Choice, ReadyCard } from "./document.ts";
import { nameOf } from "./words.ts";

type Button = ReadyCard["buttons"][number];

export interface Standing {
  readonly followUp: FollowUpRecord | undefined;
  /** Address. */
  readonly viewer: string;
  readonly duplicates: number;
  readonly links: number;
  readonly colleagues: number;
}

const labels: Readonly<Record<Choice, string>> = {
  claim: "Claim",
  reached: "Reached them",
  no_answer: "No answer",
  replied: "They replied",
  converted: "Converted",
  snooze: "Snooze",
  not_a_fit: "Not a fit",
  wrong_person: "Wrong person",
  hand_over: "Hand over",
  merge: "Same person",
  keep_apart: "Two people",
  split: "Split",
};

const needs: Readonly<Partial<Record<Choice, Button["needs"]>>> = {
  snooze: "until",
  not_a_fit: "reason",
  wrong_person: "reason",
  hand_over: "colleague",
  merge: "duplicate",
  keep_apart: "duplicate",
  split: "link",
};

/** All of them, always in the same order, so that hands learn where they are. */
export function buttonsOf(standing: Standing): readonly Button[] {
  return (Object.keys(labels) as Choice[]).map((choice) => {
    const why_not = whyNot(choice, standing);
    return { choice, label: labels[choice], needs: needs[choice] ?? "nothing", possible: why_not === null, why_not };
  });
}

function whyNot(choice: Choice, { followUp, viewer, duplicates, links, colleagues }: Standing): string | null {
  if (choice === "merge" || choice === "keep_apart")
    return duplicates > 0 ? null : "Nobody is known who may be the same person.";
  if (choice === "split") return links > 0 ? null : "Nothing was joined that could be split.";
  if (followUp === undefined) return "There is no follow-up for this person.";
  if (followUp.state !== "open") return "The follow-up is closed.";
  if (choice === "claim") return whyNotClaim(followUp, viewer);
  if (choice === "hand_over" && colleagues === 0) return "There is nobody else whom it could be handed to.";
  return null;
}

function whyNotClaim({ holder, words }: FollowUpRecord, viewer: string): string | null {
  if (holder === viewer) return "It is yours already.";
  const claim = words?.findLast(({ claimed }) => claimed === true);
  return claim?.by === holder ? `${nameOf(holder)} has claimed it.` : null;
}
