-- The ledger: what everybody reads. Every row can be rebuilt from the identity objects and the history, and only moves
-- forward: writes carry the version of the object's state (DESIGN §6.5). Tables are WITHOUT ROWID and indexes are few,
-- because rows written, indexes included, are most of the bill.

CREATE TABLE leads (
  workspace TEXT NOT NULL,
  id TEXT NOT NULL,
  version INTEGER NOT NULL,
  email TEXT,
  name TEXT NOT NULL,
  lifecycle_state TEXT NOT NULL,
  lead_score INTEGER NOT NULL,
  source TEXT NOT NULL,
  last_event_timestamp INTEGER NOT NULL,
  idempotency_key TEXT NOT NULL,
  -- Epoch day of the last event. The list is sorted by it first: unlike an index on the instant, one on the day is
  -- written once a day and lead, however many signals come.
  active_day INTEGER NOT NULL,
  merged_into TEXT,
  document TEXT NOT NULL,
  PRIMARY KEY (workspace, id)
) WITHOUT ROWID;

CREATE INDEX leads_active ON leads (workspace, active_day);

CREATE TABLE follow_ups (
  workspace TEXT NOT NULL,
  -- Begins with the creation time, so that the primary key is also the order of the list.
  id TEXT NOT NULL,
  version INTEGER NOT NULL,
  lead TEXT NOT NULL,
  play TEXT NOT NULL,
  state TEXT NOT NULL,
  holder TEXT NOT NULL,
  tier TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  document TEXT NOT NULL,
  PRIMARY KEY (workspace, id)
) WITHOUT ROWID;

CREATE TABLE exceptions (
  workspace TEXT NOT NULL,
  id TEXT NOT NULL,
  version INTEGER NOT NULL,
  lead TEXT NOT NULL,
  reason TEXT NOT NULL,
  owner TEXT NOT NULL,
  state TEXT NOT NULL,
  raised_at INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  document TEXT NOT NULL,
  PRIMARY KEY (workspace, id)
) WITHOUT ROWID;

-- Signals and decisions on their way to R2: one row holds what one batch of projections brought. The cron moves chunks
-- into history segments and deletes them.
CREATE TABLE journal (
  workspace TEXT NOT NULL,
  id TEXT NOT NULL,
  at INTEGER NOT NULL,
  entries TEXT NOT NULL,
  PRIMARY KEY (workspace, id)
) WITHOUT ROWID;

-- Deliveries that were verified and not understood; the body lies sealed in R2 under `body`.
CREATE TABLE quarantine (
  workspace TEXT NOT NULL,
  id TEXT NOT NULL,
  emitter TEXT NOT NULL,
  reason TEXT NOT NULL,
  detail TEXT NOT NULL,
  at INTEGER NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (workspace, id)
) WITHOUT ROWID;

-- How often what happened at the door, per emitter and day; kept by the projector in memory and added in batches.
CREATE TABLE counts (
  workspace TEXT NOT NULL,
  emitter TEXT NOT NULL,
  day INTEGER NOT NULL,
  what TEXT NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (workspace, emitter, day, what)
) WITHOUT ROWID;
