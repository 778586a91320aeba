/** What the ledger adds to a card: who may be the same person, and who else is at the company. */
import { wordsOfGuard, wordsOfLikeness } from "../api/evidence.ts";
import { conflictId } from "../ledger/rows.ts";
import type { CrmName } from "../model.ts";
import type { Root } from "../resolve/node.ts";
import type { Duplicate, Neighbour } from "./card.ts";

/** Looked through, most recently active first: the ledger has no index of companies, and each index would cost a row per lead. */
const scannedMax = 2_000;
const duplicatesMax = 5;
const relatedMax = 10;

interface LeadRow {
  readonly id: string;
  readonly name: string;
  readonly email: string | null;
  readonly lead_score: number;
  readonly merged_into: string | null;
  readonly job_title: string | null;
  readonly record: string | null;
}

const columns = `id, name, email, lead_score, merged_into, document ->> '$.fields.job_title.value' AS job_title`;

function recordColumn(crm: CrmName): string {
  return `document ->> '$.people.${crm}' AS record`;
}

/** A question that only the ledger has (`ledger/likely.ts`). */
export interface Likely {
  readonly id: string;
  readonly a: string;
  readonly b: string;
  readonly probability: number;
}

/** Open questions whether one of these leads is somebody else. */
export async function likelyOf(
  ledger: D1Database,
  workspace: string,
  names: readonly string[],
): Promise<readonly Likely[]> {
  const rows = await likelyQuery(ledger, workspace, names).all<Likely>();
  return rows.results;
}

function likelyQuery(ledger: D1Database, workspace: string, names: readonly string[]): D1PreparedStatement {
  return ledger
    .prepare(
      `SELECT id, document ->> '$.a' AS a, document ->> '$.b' AS b, document ->> '$.probability' AS probability FROM exceptions
       WHERE workspace = ?1 AND reason = 'likely_duplicate' AND state = 'open'
       AND (document ->> '$.a' IN (SELECT value FROM json_each(?2)) OR document ->> '$.b' IN (SELECT value FROM json_each(?2)))
       LIMIT ${duplicatesMax}`,
    )
    .bind(workspace, JSON.stringify(names));
}

/** Who is at this company, by its domain or the name that was given. Empty: neither is known. */
export interface Company {
  readonly domain: string | undefined;
  readonly name: string | undefined;
}

function companyQuery(
  ledger: D1Database,
  workspace: string,
  crm: CrmName,
  { domain, name }: Company,
): D1PreparedStatement {
  return ledger
    .prepare(
      `SELECT ${columns}, ${recordColumn(crm)} FROM
       (SELECT * FROM leads WHERE workspace = ?1 AND merged_into IS NULL ORDER BY active_day DESC LIMIT ${scannedMax})
       WHERE (?2 IS NOT NULL AND (email LIKE '%@' || ?2 OR document ->> '$.account.domain' = ?2 COLLATE NOCASE))
       OR (?3 IS NOT NULL AND (document ->> '$.fields.company.value' = ?3 COLLATE NOCASE OR document ->> '$.account.name' = ?3 COLLATE NOCASE))
       ORDER BY lead_score DESC, last_event_timestamp DESC LIMIT ${relatedMax + 1}`,
    )
    .bind(workspace, domain ?? null, name ?? null);
}

function openQuery(ledger: D1Database, workspace: string): D1PreparedStatement {
  return ledger
    .prepare(
      `SELECT DISTINCT lead FROM (SELECT lead, state FROM follow_ups WHERE workspace = ?1 ORDER BY id DESC LIMIT ${scannedMax}) WHERE state = 'open'`,
    )
    .bind(workspace);
}

/** People of the company: those with an open follow-up first, then by score. */
export async function peopleAt(
  ledger: D1Database,
  workspace: string,
  crm: CrmName,
  company: Company,
): Promise<readonly Neighbour[]> {
  const [people, open] = await ledger.batch([
    companyQuery(ledger, workspace, crm, company),
    openQuery(ledger, workspace),
  ]);
  return neighbours((people?.results ?? []) as LeadRow[], (open?.results ?? []) as { lead: string }[]);
}

function neighbours(rows: readonly LeadRow[], open: readonly { readonly lead: string }[]): readonly Neighbour[] {
  const busy = new Set(open.map(({ lead }) => lead));
  return rows
    .map(({ id, name, email, job_title, lead_score, record }) => ({
      lead: id,
      name,
      email,
      job_title,
      score: lead_score,
      open: busy.has(id),
      record,
    }))
    .sort((a, b) => Number(b.open) - Number(a.open) || b.score - a.score);
}

export interface Around {
  readonly duplicates: readonly Duplicate[];
  readonly related: readonly Neighbour[];
}

/** In one question to the ledger, or in two where somebody may be the same person. */
export async function around(
  ledger: D1Database,
  workspace: string,
  crm: CrmName,
  root: Root,
  company: Company | null,
): Promise<Around> {
  const names = [root.name, ...root.members];
  const [likely, people, open] = await ledger.batch([
    likelyQuery(ledger, workspace, names),
    ...(company === null ? [] : [companyQuery(ledger, workspace, crm, company), openQuery(ledger, workspace)]),
  ]);
  const asked = questionsOf(root, names, (likely?.results ?? []) as unknown as Likely[]);
  return {
    duplicates: asked.length === 0 ? [] : await described(ledger, workspace, crm, names, asked),
    related: neighbours((people?.results ?? []) as LeadRow[], (open?.results ?? []) as { lead: string }[]).filter(
      ({ lead }) => !names.includes(lead),
    ),
  };
}

interface Question {
  readonly other: string;
  readonly because: string;
  readonly exception: string;
}

function questionsOf(root: Root, names: readonly string[], likely: readonly Likely[]): readonly Question[] {
  const conflicts = root.apart
    .filter(({ state }) => state === "open")
    .map((item) => ({ other: item.other, because: wordsOfGuard(item.reason), exception: conflictId(item) }));
  const alike = likely.map(({ id, a, b, probability }) => ({
    other: names.includes(a) ? b : a,
    because: wordsOfLikeness(Number(probability)),
    exception: id,
  }));
  return [...conflicts, ...alike].filter(({ other }) => !names.includes(other)).slice(0, duplicatesMax);
}

async function described(
  ledger: D1Database,
  workspace: string,
  crm: CrmName,
  names: readonly string[],
  asked: readonly Question[],
): Promise<readonly Duplicate[]> {
  const rows = await ledger
    .prepare(
      `SELECT ${columns}, ${recordColumn(crm)} FROM leads WHERE workspace = ?1 AND id IN (SELECT value FROM json_each(?2))`,
    )
    .bind(workspace, JSON.stringify(asked.map(({ other }) => other)))
    .all<LeadRow>();
  const byId = new Map(rows.results.map((row) => [row.id, row]));
  return asked.flatMap(({ other, because, exception }) => {
    const row = byId.get(other);
    if (row === undefined || names.includes(row.merged_into ?? "")) return [];
    const { id, name, email, job_title, record } = row;
    return { lead: id, name, email, job_title, record, because, exception };
  });
}
