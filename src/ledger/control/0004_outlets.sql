-- Who is told of follow-ups beside the CRMs. Where they live, and with what token, lies sealed in the outlet's account object.
CREATE TABLE outlets (
  workspace TEXT NOT NULL,
  -- By which plays call it.
  name TEXT NOT NULL,
  type TEXT NOT NULL,
  -- Name of its account object.
  object TEXT NOT NULL,
  -- What is shown of where it leads: the channel, the host.
  leads_to TEXT NOT NULL,
  -- JSON array, sealed like those of emitters: what signs, the newest first.
  secrets TEXT NOT NULL,
  -- 1: it is not told who the person is.
  anonymous INTEGER NOT NULL,
  -- Why it stopped; null while it works. One that stopped gets no new actions.
  problem TEXT,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (workspace, name)
) WITHOUT ROWID;
