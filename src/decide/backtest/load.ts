/**
 * Who would have had what: the follow-ups of a replay, given to people in the order in which they would have left, by the rota and the
 * caps that the team object keeps (`objects/team.ts`). Pure.
 */
import type { Assignment } from "../../model.ts";
import { newRota, type Rota, take } from "../rota.ts";

export interface Turn {
  readonly follow_up: string;
  readonly at: number;
  /** Null where it is never closed. */
  readonly closed_at: number | null;
  readonly ways: readonly Way[];
  /** Takes it where nobody of all the ways can. */
  readonly last_resort: string;
  /** Where those who work a company are to stay the same. */
  readonly company?: string;
}

export type Way = Pick<Assignment, "team" | "candidates" | "preferred">;

/** Many turns, which are mostly among the same people: those are kept once. */
export interface TurnList {
  readonly ways: (readonly Way[])[];
  readonly turns: (Omit<Turn, "ways"> & { readonly way: number })[];
}

export class Turns {
  readonly list: TurnList = { ways: [], turns: [] };
  readonly #known = new Map<string, number>();

  add({ ways, ...turn }: Turn): void {
    const text = JSON.stringify(ways);
    const way = this.#known.get(text) ?? this.list.ways.push(ways) - 1;
    this.#known.set(text, way);
    this.list.turns.push({ ...turn, way });
  }

  addAll({ ways, turns }: TurnList): void {
    for (const { way, ...turn } of turns) this.add({ ...turn, ways: ways[way] ?? [] });
  }
}

export interface Load {
  readonly follow_ups: number;
  /** Most of them open at one time. */
  readonly open_max: number;
}

export interface Loads {
  /** By address. */
  readonly people: Readonly<Record<string, Load>>;
  /** Follow-ups for which nobody had room or skill: the last resort has them. */
  readonly nobody: number;
}

interface Open {
  readonly turn: Omit<Turn, "ways">;
  readonly holder: string;
  readonly closed_at: number;
}

/** In any order; they are put in that of their time. */
export function loadsOf({ ways, turns }: TurnList): Loads {
  const rotas = new Map<string, Rota>();
  const people = new Map<string, { follow_ups: number; open: number; open_max: number }>();
  /** The next one to be closed stands last. */
  const open: Open[] = [];
  /** Open ones by company, the latest last. */
  const companies = new Map<string, Map<string, string>>();
  let [event, nobody] = [0, 0];
  const order = [...turns].sort((a, b) => a.at - b.at || (a.follow_up < b.follow_up ? -1 : 1));
  const person = (address: string) => {
    const known = people.get(address) ?? { follow_ups: 0, open: 0, open_max: 0 };
    people.set(address, known);
    return known;
  };
  const choose = (turn: TurnList["turns"][number]): string | null => {
    for (const { team, candidates, preferred } of ways[turn.way] ?? []) {
      if (preferred !== undefined) return preferred.address;
      const there = [...(companies.get(turn.company ?? "")?.values() ?? [])];
      const colleague = there.findLast((holder) => candidates.some(({ address }) => address === holder));
      if (colleague !== undefined) return colleague;
      const free = candidates.filter(({ address, cap }) => cap === null || (people.get(address)?.open ?? 0) < cap);
      const asked = { follow_up: turn.follow_up, event: event + 1, candidates: free };
      const next = take(rotas.get(team) ?? newRota, asked);
      if (next === null) continue;
      event++;
      rotas.set(team, next.rota);
      return next.holder;
    }
    return null;
  };
  for (const turn of order) {
    for (let last = open.at(-1); last !== undefined && last.closed_at <= turn.at; last = open.at(-1)) {
      open.pop();
      person(last.holder).open--;
      if (last.turn.company !== undefined) companies.get(last.turn.company)?.delete(last.turn.follow_up);
    }
    const chosen = choose(turn);
    if (chosen === null) nobody++;
    const holder = chosen ?? turn.last_resort;
    const load = person(holder);
    load.follow_ups++;
    load.open++;
    load.open_max = Math.max(load.open_max, load.open);
    put(open, { turn, holder, closed_at: turn.closed_at ?? Number.POSITIVE_INFINITY });
    if (turn.company !== undefined) {
      const there = companies.get(turn.company) ?? new Map<string, string>();
      companies.set(turn.company, there.set(turn.follow_up, holder));
    }
  }
  return {
    people: Object.fromEntries(
      [...people]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([address, { follow_ups, open_max }]) => [address, { follow_ups, open_max }]),
    ),
    nobody,
  };
}

/** Behind those that are closed later. */
function put(open: Open[], item: Open): void {
  let [from, to] = [0, open.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((open[middle]?.closed_at ?? 0) >= item.closed_at) from = middle + 1;
    else to = middle;
  }
  open.splice(from, 0, item);
}
