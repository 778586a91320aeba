/**
 * Whose turn it is in a team: start-time fair queueing (Goyal, Vin, Cheng 1996) over those who are eligible at this very event.
 *
 * The team has a virtual time: the begin of its latest turn. Everybody's next turn begins at `max(time, begin of their last one +
 * 1/weight)`, or now for whoever never had one. The earliest begin is next, then whoever was served longest ago.
 *
 * Why that is fair, with v the virtual time. It never runs backwards, and while somebody is eligible it does not run past the begin
 * of their next turn.
 * 1. Equals (same weight at present): the order is that of their last turns, for `max` and adding 1/weight keep it. So of two who are
 *    eligible at every event of a window, neither is served twice without the other in between: their counts differ by at
 *    most 1, whatever happens to the others and whatever their weights were before.
 * 2. Weights: in a window in which v goes on by d, somebody of weight w who is eligible throughout has at least w·d − 1 turns and at
 *    most w·d + 1, for their begins are 1/w apart and the first is at most 1/w away. Hence |m/a − n/b| ≤ 1/a + 1/b for weights a and b;
 *    and where the same k people are eligible at each of n events, a count is within 1 + (w/W)(k − 2) of n·w/W, W being the sum of
 *    weights (k ≥ 2): one turn, and one's weight relative to the average.
 * 3. Absence gathers nothing: whoever returns, and every newcomer, is where the first of the others is. That is one turn soon, and
 *    from then on points 1 and 2.
 * Changed weights count at once, because only begins are kept. Floating-point numbers do for all of point 1.
 * What it does not promise: one of weight 10 beside ten of weight 1 may have several turns in a row. Pure.
 */
import { digest } from "../crypto.ts";
import type { Candidate } from "../model.ts";

export interface Rota {
  /** Virtual begin of the latest turn. */
  readonly time: number;
  /** The last turn of each person, by `personKey`. */
  readonly last: Readonly<Record<string, { readonly begin: number; readonly event: number }>>;
}

export const newRota: Rota = { time: 0, last: {} };

/** What must be kept of a turn: all turns of a team, or the last one of each person, give its rota again. */
export interface Turn {
  readonly person: string;
  /** Virtual. */
  readonly begin: number;
  /** Number of the event; ascending in the team. */
  readonly event: number;
}

export interface TurnEvent {
  /** Breaks ties between people who never had a turn: not the order of a list, not chance. */
  readonly follow_up: string;
  readonly event: number;
  /** Whoever could take it; nobody else is touched by this event. */
  readonly candidates: readonly Pick<Candidate, "address" | "weight">[];
}

/** An address, however somebody spells it: an edit of its case must not make a newcomer. */
export function personKey(address: string): string {
  return address.toLowerCase();
}

/** Gives one turn. Null where there is no candidate: then nothing has happened. */
export function take(
  rota: Rota,
  { follow_up, event, candidates }: TurnEvent,
): { readonly rota: Rota; readonly turn: Turn; readonly holder: string } | null {
  let best: { readonly holder: string; readonly turn: Turn; readonly since: number } | null = null;
  for (const { address, weight } of candidates) {
    const person = personKey(address);
    const last = Object.hasOwn(rota.last, person) ? rota.last[person] : undefined;
    const begin = last === undefined ? rota.time : Math.max(rota.time, last.begin + 1 / weight);
    const since = last?.event ?? -1;
    if (best !== null) {
      if (begin > best.turn.begin || (begin === best.turn.begin && since > best.since)) continue;
      const isTie = begin === best.turn.begin && since === best.since;
      if (isTie && digest(follow_up, person) <= digest(follow_up, best.turn.person)) continue;
    }
    best = { holder: address, turn: { person, begin, event }, since };
  }
  return best === null ? null : { rota: taken(rota, best.turn), turn: best.turn, holder: best.holder };
}

/** The rota after a turn that was given. Turns may be told in any order. */
export function taken(rota: Rota, { person, begin, event }: Turn): Rota {
  const known = Object.hasOwn(rota.last, person) ? rota.last[person] : undefined;
  const last = known !== undefined && known.event > event ? rota.last : { ...rota.last, [person]: { begin, event } };
  return { time: Math.max(rota.time, begin), last };
}
