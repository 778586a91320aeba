-- Likely duplicates (src/ledger/likely.ts). Proposals themselves are rows of `exceptions`.

-- The last comparison of a workspace's leads.
CREATE TABLE likely_runs (
  workspace TEXT PRIMARY KEY,
  at INTEGER NOT NULL,
  -- Of what was compared and of the policy's bars: the same again needs no comparison.
  digest TEXT NOT NULL,
  -- Where the next comparison goes on, where a workspace has more leads than one holds; else empty.
  cursor TEXT NOT NULL
) WITHOUT ROWID;

-- Pairs that identity says are nothing to ask about, so that nobody asks it again: the ids that their proposals would have.
CREATE TABLE likely_answered (
  workspace TEXT NOT NULL,
  id TEXT NOT NULL,
  PRIMARY KEY (workspace, id)
) WITHOUT ROWID;

-- Partial, so that it costs a write only when a proposal is made or closed.
CREATE INDEX exceptions_likely ON exceptions (workspace, id) WHERE reason = 'likely_duplicate' AND state = 'open';
