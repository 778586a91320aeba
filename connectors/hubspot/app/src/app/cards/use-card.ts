/**
 * The card as it is now, and what became of the last press. One press at a time. A press whose answer got lost stays until it is
 * sent again, unchanged and under the same `request`, or until the seller looks what became of it.
 */
import { useCallback, useEffect, useRef, useState } from "react";
import type { Card, Press } from "./document.ts";
import type { Door, Problem } from "./door.ts";

export type View =
  | { readonly state: "loading" }
  | { readonly state: "failed"; readonly problem: Problem }
  /** `receivedAtMs` is of this machine's clock, which need not agree with Baton's. */
  | { readonly state: "shown"; readonly card: Card; readonly receivedAtMs: number };

export type Pressing =
  | { readonly state: "idle" }
  | { readonly state: "sending"; readonly press: Press }
  | { readonly state: "done"; readonly text: string; readonly underWay: boolean }
  | { readonly state: "refused"; readonly problem: Problem }
  | { readonly state: "unsettled"; readonly press: Press; readonly problem: Problem };

export interface Told {
  readonly text: string;
  readonly ok: boolean;
}

export interface UseCard {
  readonly view: View;
  readonly pressing: Pressing;
  /** A card is shown and a newer one was asked for. */
  readonly looking: boolean;
  look(): void;
  press(press: Press): void;
}

/** So long after "under way" the card looks once by itself what came of it. */
export const underWayLookMs = 5_000;

export function useCard(door: Door, tell: (told: Told) => void): UseCard {
  const [view, setView] = useState<View>({ state: "loading" });
  const [pressing, setPressing] = useState<Pressing>({ state: "idle" });
  const [looking, setLooking] = useState(false);
  // Told at once, before React has drawn the disabled buttons: a second click in the same moment must not be a second press.
  const sending = useRef(false);
  // Each question has a number, so that a slow older answer never hides a newer one.
  const question = useRef(0);
  const teller = useRef(tell);
  teller.current = tell;

  const look = useCallback(async () => {
    if (sending.current) return;
    question.current += 1;
    const asked = question.current;
    setLooking(true);
    const answer = await door.read();
    if (asked !== question.current) return;
    setLooking(false);
    if (answer.ok) {
      setView(shown(answer.value));
      return;
    }
    const { problem } = answer;
    // A card of a moment ago says more than a passing failure.
    setView((now) => (now.state === "shown" && problem.kind === "again" ? now : { state: "failed", problem }));
    if (problem.kind === "again") teller.current({ text: problem.detail, ok: false });
  }, [door]);

  const press = useCallback(
    async (pressed: Press) => {
      if (sending.current) return;
      sending.current = true;
      question.current += 1;
      setLooking(false);
      setPressing({ state: "sending", press: pressed });
      const answer = await door.press(pressed);
      sending.current = false;
      if (answer.ok) {
        const { status, text, card } = answer.value;
        setView(shown(card));
        setPressing({ state: "done", text, underWay: status === "under_way" });
        teller.current({ text, ok: true });
        return;
      }
      const { problem } = answer;
      teller.current({ text: problem.detail, ok: false });
      if (problem.kind === "again") {
        setPressing({ state: "unsettled", press: pressed, problem });
        return;
      }
      setPressing({ state: "refused", problem });
      // What was refused was most likely offered by a card that is out of date.
      void look();
    },
    [door, look],
  );

  useEffect(() => {
    void look();
  }, [look]);

  const underWay = pressing.state === "done" && pressing.underWay;
  useEffect(() => {
    if (!underWay) return;
    const timer = setTimeout(() => void look(), underWayLookMs);
    return () => clearTimeout(timer);
  }, [underWay, look]);

  return {
    view,
    pressing,
    looking,
    look: () => {
      setPressing((now) => (now.state === "sending" ? now : { state: "idle" }));
      void look();
    },
    press: (pressed) => void press(pressed),
  };
}

function shown(card: Card): View {
  return { state: "shown", card, receivedAtMs: Date.now() };
}
