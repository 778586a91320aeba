-- People who were erased (DESIGN §6.7), by the keys of their signals only. What comes late is left out of history by this,
-- and the cron works off what history held before.
CREATE TABLE erasures (
  workspace TEXT NOT NULL,
  id TEXT NOT NULL,
  -- JSON array of idempotency keys.
  keys TEXT NOT NULL,
  ordered_by TEXT NOT NULL,
  -- Epoch ms at which the segments that lay in history then were all rewritten; 0 = still to be done.
  history_done_at INTEGER NOT NULL,
  PRIMARY KEY (workspace, id)
) WITHOUT ROWID;
