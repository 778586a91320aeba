/**
 * Writes projections into a ledger shard: one D1 batch for many leads, one statement per table, each row guarded by its
 * version so that rows only move forward (G8) and an unchanged row costs nothing.
 */
import type { ExceptionRow, FollowUpRow, LeadRow, Projection } from "./rows.ts";

/** D1 takes bound strings up to 2 MB; a chunk of rows stays well below. */
const chunkBytesMax = 1_000_000;

export function projectStatements(
  ledger: D1Database,
  projections: readonly Projection[],
  chunkId: string,
  now: number,
): D1PreparedStatement[] {
  const leads = projections.flatMap(({ workspace, leads: rows }) =>
    rows.map((row): LeadRow & { workspace: string } => ({ workspace, ...row })),
  );
  const followUps = projections.flatMap(({ workspace, follow_ups }) =>
    follow_ups.map((row): FollowUpRow & { workspace: string } => ({ workspace, ...row })),
  );
  const exceptions = projections.flatMap(({ workspace, exceptions: rows }) =>
    rows.map((row): ExceptionRow & { workspace: string } => ({ workspace, ...row })),
  );
  return [
    ...upserts(ledger, "leads", leadColumns, leads, "excluded.version > leads.version"),
    ...moveDays(ledger, leads),
    ...upserts(ledger, "follow_ups", followUpColumns, followUps, unlessSame("follow_ups", "holder")),
    ...upserts(ledger, "exceptions", exceptionColumns, exceptions, unlessSame("exceptions", "owner"), ofTheLiving),
    ...journalRows(ledger, projections, chunkId, now),
  ];
}

const leadColumns = [
  "id",
  "version",
  "email",
  "name",
  "lifecycle_state",
  "lead_score",
  "source",
  "last_event_timestamp",
  "idempotency_key",
  "active_day",
  "merged_into",
  "document",
] as const;
const followUpColumns = [
  "id",
  "version",
  "lead",
  "play",
  "state",
  "holder",
  "tier",
  "created_at",
  "due_at",
  "document",
] as const;
const exceptionColumns = [
  "id",
  "version",
  "lead",
  "reason",
  "owner",
  "state",
  "raised_at",
  "due_at",
  "document",
] as const;

/** A lead's projection carries all its follow-ups and exceptions: only those that changed are written. */
function unlessSame(table: string, who: "holder" | "owner"): string {
  const changed = ["document", "state", "lead", "due_at", who].map(
    (column) => `excluded.${column} <> ${table}.${column}`,
  );
  return `excluded.version > ${table}.version AND (${changed.join(" OR ")})`;
}

/** What was on the way when its lead was erased comes too late. Whoever lives at that node since is told of with a later version. */
const ofTheLiving = `NOT EXISTS (SELECT 1 FROM leads WHERE leads.workspace = value ->> '$.workspace' AND leads.id = value ->> '$.lead'
    AND leads.lifecycle_state = 'erased' AND leads.version > value ->> '$.version')`;

function upserts(
  ledger: D1Database,
  table: string,
  columns: readonly string[],
  rows: readonly object[],
  guard: string,
  which = "true",
): D1PreparedStatement[] {
  const all = ["workspace", ...columns];
  const values = all.map((column) => `value ->> '$.${column}'`).join(", ");
  const updates = columns
    .filter((column) => column !== "id" && column !== "active_day")
    .map((column) => `${column} = excluded.${column}`);
  const sql = `INSERT INTO ${table} (${all.join(", ")}) SELECT ${values} FROM json_each(?) WHERE ${which}
    ON CONFLICT (workspace, id) DO UPDATE SET ${updates.join(", ")} WHERE ${guard}`;
  return chunks(rows.map((row) => JSON.stringify(row))).map((json) => ledger.prepare(sql).bind(json));
}

/**
 * SQLite rewrites an index whenever its column is named in an update, changed or not. So the day is left out of the upsert
 * and moved by a statement of its own, which touches only the rows whose day did change: about once a day and lead.
 */
function moveDays(
  ledger: D1Database,
  leads: readonly (LeadRow & { readonly workspace: string })[],
): D1PreparedStatement[] {
  const sql = `UPDATE leads SET active_day = new.day
    FROM (SELECT value ->> '$.workspace' AS workspace, value ->> '$.id' AS id, value ->> '$.version' AS version,
      value ->> '$.active_day' AS day FROM json_each(?)) AS new
    WHERE leads.workspace = new.workspace AND leads.id = new.id AND leads.version = new.version AND leads.active_day <> new.day`;
  const days = leads.map(({ workspace, id, version, active_day }) =>
    JSON.stringify({ workspace, id, version, active_day }),
  );
  return chunks(days).map((json) => ledger.prepare(sql).bind(json));
}

function journalRows(
  ledger: D1Database,
  projections: readonly Projection[],
  chunkId: string,
  now: number,
): D1PreparedStatement[] {
  const byWorkspace = new Map<string, string[]>();
  for (const { workspace, journal } of projections)
    byWorkspace.set(workspace, [...(byWorkspace.get(workspace) ?? []), ...journal]);
  const statements: D1PreparedStatement[] = [];
  for (const [workspace, entries] of byWorkspace) {
    for (const [index, json] of chunks(entries).entries()) {
      statements.push(
        ledger
          .prepare("INSERT OR IGNORE INTO journal VALUES (?, ?, ?, ?)")
          .bind(workspace, `${chunkId}.${index}`, now, json),
      );
    }
  }
  return statements;
}

/** JSON arrays of the given JSON texts, each array below the bound. */
function chunks(texts: readonly string[]): string[] {
  const done: string[] = [];
  let current: string[] = [];
  let bytes = 0;
  for (const json of texts) {
    if (bytes + json.length > chunkBytesMax && current.length > 0) {
      done.push(`[${current.join(",")}]`);
      current = [];
      bytes = 0;
    }
    current.push(json);
    bytes += json.length + 1;
  }
  if (current.length > 0) done.push(`[${current.join(",")}]`);
  return done;
}
