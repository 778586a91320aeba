-- The life of a policy: who wrote and who activated a version, drafts that are not in force yet, backtests of a content.
-- JSON array of addresses; empty for versions older than this.
ALTER TABLE policies ADD COLUMN authors TEXT NOT NULL DEFAULT '[]';
ALTER TABLE policies ADD COLUMN activated_by TEXT NOT NULL DEFAULT '';
ALTER TABLE policies ADD COLUMN note TEXT NOT NULL DEFAULT '';
-- Draft that it was, so that an activation may be asked for again.
ALTER TABLE policies ADD COLUMN draft TEXT;
-- Version that it restores; null where it is no roll-back.
ALTER TABLE policies ADD COLUMN restores INTEGER;
-- JSON: {changes: number, sentences: first few of them}, against the version before.
ALTER TABLE policies ADD COLUMN summary TEXT NOT NULL DEFAULT '{"changes":0,"sentences":[]}';

CREATE TABLE policy_drafts (
  workspace TEXT NOT NULL,
  id TEXT NOT NULL,
  -- Version that it was written from.
  base INTEGER NOT NULL,
  -- As it was sent, mistakes and all; without `version`.
  document TEXT NOT NULL,
  -- JSON array of the addresses of everybody who has saved it.
  authors TEXT NOT NULL,
  note TEXT NOT NULL,
  -- Counts the savings, so that nobody overwrites or activates what they have not seen.
  revision INTEGER NOT NULL,
  -- Name of its content; empty while it has mistakes.
  digest TEXT NOT NULL,
  -- JSON array of {path, message}, the first few.
  mistakes TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (workspace, id)
) WITHOUT ROWID;

CREATE TABLE policy_backtests (
  workspace TEXT NOT NULL,
  -- Of the policy's content (`digestOf`).
  digest TEXT NOT NULL,
  id TEXT NOT NULL,
  -- Null while it runs.
  finished_at INTEGER,
  PRIMARY KEY (workspace, digest, id)
) WITHOUT ROWID;
