/**
 * People of firms, with duplicates typed by hand: a seeded world with the trap the published data sets lack. Colleagues share
 * company, domain, switchboard and street, so four fields of different people agree for one reason.
 */
import { sequence } from "../../src/resolve/likeness/sample.ts";
import type { Field } from "../../src/resolve/likeness/table.ts";
import type { Dataset } from "./datasets.ts";

export interface World {
  readonly seed: number;
  readonly people: number;
  /** Duplicates per person, on average; a person has up to five. */
  readonly duplicates: number;
  /** Chance of damage per field of a duplicate. */
  readonly damage: number;
}

const contactFields: readonly Field[] = [
  { name: "first_name", kind: "given_name" },
  { name: "last_name", kind: "family_name", swapsWith: "first_name" },
  { name: "company", kind: "text" },
  { name: "domain", kind: "domain" },
  { name: "phone", kind: "phone" },
  { name: "street", kind: "text" },
  { name: "city", kind: "text" },
  { name: "job_title", kind: "text" },
];

type Person = Record<string, string | null>;

const givenNames =
  "james mary robert patricia john jennifer michael linda david elizabeth william barbara richard susan joseph jessica thomas sarah christopher karen charles lisa daniel nancy matthew sandra anthony ashley steven emily andrew donna joshua michelle kenneth carol kevin amanda brian melissa timothy deborah ronald stephanie edward rebecca jason laura jeffrey helen ryan sharon jacob cynthia gary kathleen nicholas amy eric angela jonathan shirley stephen anna larry brenda justin pamela scott nicole brandon samantha benjamin katherine samuel christine gregory catherine alexander virginia patrick rachel frank heather raymond diane jack olivia peter maria lukas julia hans petra klaus sabine amir fatima wei ling raj priya".split(
    " ",
  );
const nicknames: Readonly<Record<string, string>> = {
  robert: "bob",
  elizabeth: "liz",
  william: "bill",
  richard: "rick",
  michael: "mike",
  jennifer: "jen",
  thomas: "tom",
  christopher: "chris",
  daniel: "dan",
  matthew: "matt",
  anthony: "tony",
  steven: "steve",
  joshua: "josh",
  edward: "ed",
  nicholas: "nick",
  benjamin: "ben",
  samuel: "sam",
  katherine: "kate",
  alexander: "alex",
  patricia: "pat",
  david: "dave",
};
const titles =
  "account executive,head of sales,vp marketing,revenue operations manager,cfo,engineer,founder,office manager,buyer,product manager,cto,analyst,team lead,consultant".split(
    ",",
  );
const streets = "street,road,avenue,lane,square,way".split(",");
const starts =
  "ba be bo bra car da del fen gar ha hol ka kel la lin ma mer mo nor pa per ra ro sal sten ta tor val wa wil".split(
    " ",
  );
const ends =
  "bert den der feld ford gan ham kin la lan ley lin mann mer mont ner rick ro sen son stein ton vale well wick win worth".split(
    " ",
  );

export function contacts({ seed, people, duplicates, damage }: World): Dataset {
  const next = sequence(seed);
  const below = (count: number): number => Math.floor(next() * count);
  const pick = <T>(list: readonly T[], otherwise: T): T => list[below(list.length)] ?? otherwise;
  /** Zipf-like: the first of the list are common, the last rare. */
  const common = <T>(list: readonly T[], otherwise: T): T => list[Math.floor(list.length * next() ** 2.5)] ?? otherwise;
  const word = (): string => pick(starts, "") + (next() < 0.3 ? pick(starts, "") : "") + pick(ends, "");
  const families = Array.from({ length: Math.ceil(people / 3) }, word);
  const cities = Array.from({ length: 60 }, word);
  const firms = Array.from({ length: Math.ceil(people / 6) }, () => {
    const name = `${word()} ${pick(["systems", "logistics", "partners", "foods", "media", "health", "works"], "")}`;
    const street = `${1 + below(180)} ${word()} ${pick(streets, "")}`;
    return {
      company: `${name} ${pick(["inc", "gmbh", "ltd", "llc"], "")}`,
      domain: `${name.replace(" ", "")}.com`,
      phone: String(2e9 + below(7e9)),
      street,
      city: common(cities, ""),
    };
  });
  const typo = (text: string): string => {
    const at = below(text.length);
    const letter = "abcdefghijklmnopqrstuvwxyz"[below(26)] ?? "x";
    const other = /\d/.test(text[at] ?? "") ? String(below(10)) : letter;
    const kind = below(4);
    if (kind === 0) return text.slice(0, at) + other + text.slice(at + 1);
    if (kind === 1) return text.slice(0, at) + other + text.slice(at);
    if (kind === 2) return text.length > 2 ? text.slice(0, at) + text.slice(at + 1) : text;
    return text.slice(0, at) + (text[at + 1] ?? "") + (text[at] ?? "") + text.slice(at + 2);
  };
  const damaged = (person: Person): Person => {
    const copy: Person = { ...person };
    for (const { name } of contactFields) {
      const value = copy[name];
      if (typeof value !== "string" || next() >= damage) continue;
      copy[name] = next() < 0.35 ? null : typo(value);
    }
    const short = nicknames[person.first_name ?? ""];
    if (short !== undefined && copy.first_name !== null && next() < 0.3) copy.first_name = short;
    if (next() < 0.05) [copy.first_name, copy.last_name] = [copy.last_name ?? null, copy.first_name ?? null];
    if (next() < 0.1) copy.job_title = pick(titles, "");
    return copy;
  };
  const found: { entity: string; values: Person }[] = [];
  for (let at = 0; at < people; at++) {
    const firm = pick(firms, { company: "", domain: "", phone: "", street: "", city: "" });
    const direct = next() < 0.4 ? String(2e9 + below(7e9)) : firm.phone;
    const person: Person = {
      first_name: common(givenNames, ""),
      last_name: common(families, ""),
      ...firm,
      phone: direct,
      job_title: pick(titles, ""),
    };
    found.push({ entity: String(at), values: next() < 0.2 ? { ...person, street: null, phone: null } : person });
    for (let copies = 0; copies < 5 && next() < duplicates / (1 + duplicates); copies++) {
      found.push({ entity: String(at), values: damaged(person) });
    }
  }
  for (let at = found.length - 1; at > 0; at--) {
    const other = below(at + 1);
    const [x, y] = [found[at], found[other]];
    if (x !== undefined && y !== undefined) [found[at], found[other]] = [y, x];
  }
  return {
    name: `contacts seed ${seed}, ${people} people, ${duplicates} duplicates each, damage ${damage}`,
    fields: contactFields,
    records: found.map(({ values }, at) => ({ id: String(at), values })),
    entities: found.map(({ entity }) => entity),
  };
}

/** Part of a data set: each record kept with the same chance, so that the duplicate rate falls with the size. */
export function resampled(dataset: Dataset, share: number, seed: number): Dataset {
  const next = sequence(seed);
  const kept = dataset.records.map(() => next() < share);
  return {
    ...dataset,
    name: `${dataset.name}, ${Math.round(share * 100)} % of records, seed ${seed}`,
    records: dataset.records.filter((_, at) => kept[at]),
    entities: dataset.entities.filter((_, at) => kept[at]),
  };
}

/** More damage on top: one more typo, loss or neighbour's value in a share of all fields. */
export function worn(dataset: Dataset, share: number, seed: number): Dataset {
  const next = sequence(seed);
  const letters = "abcdefghijklmnopqrstuvwxyz";
  const wear = (text: string): string | null => {
    if (next() < 0.25) return null;
    const at = Math.floor(next() * text.length);
    const digit = /\d/.test(text[at] ?? "");
    return (
      text.slice(0, at) +
      (digit ? String(Math.floor(next() * 10)) : (letters[Math.floor(next() * 26)] ?? "")) +
      text.slice(at + 1)
    );
  };
  const records = dataset.records.map((record) => ({
    ...record,
    values: Object.fromEntries(
      Object.entries(record.values).map(([name, value]) => [name, value && next() < share ? wear(value) : value]),
    ),
  }));
  return { ...dataset, name: `${dataset.name}, ${Math.round(share * 100)} % of fields worn, seed ${seed}`, records };
}
