-- Backtests (src/ledger/backtests.ts). Policies, differences and what a run needs between its slices lie in R2 under `backtests/<workspace>/<id>/`.
CREATE TABLE backtests (
  workspace TEXT NOT NULL,
  -- Begins with the time of the order, so that the primary key is also the order of the list.
  id TEXT NOT NULL,
  -- running | finished | failed
  state TEXT NOT NULL,
  -- JSON: what was asked for.
  request TEXT NOT NULL,
  -- JSON: where the next slice goes on.
  checkpoint TEXT NOT NULL,
  -- JSON, or the sentence that says why there are none.
  figures TEXT,
  problem TEXT,
  -- Epoch ms until which somebody is at work on it.
  lease_until INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  finished_at INTEGER,
  PRIMARY KEY (workspace, id)
) WITHOUT ROWID;

CREATE INDEX backtests_running ON backtests (lease_until) WHERE state = 'running';
