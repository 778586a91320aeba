-- The control database: who there is and how things are configured. Small, read through a per-isolate cache.
CREATE TABLE workspaces (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  api_key_hash TEXT NOT NULL,
  policy_version INTEGER NOT NULL,
  -- Which LEDGER_n binding holds this workspace's rows.
  shard INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE policies (
  workspace TEXT NOT NULL,
  version INTEGER NOT NULL,
  document TEXT NOT NULL,
  author TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (workspace, version)
) WITHOUT ROWID;

CREATE TABLE emitters (
  key TEXT PRIMARY KEY,
  workspace TEXT NOT NULL,
  name TEXT NOT NULL,
  vendor TEXT NOT NULL,
  owner TEXT NOT NULL,
  settings TEXT NOT NULL,
  -- JSON array of secrets, sealed with AES-GCM under a key of the workspace; several while one rotates.
  secrets TEXT NOT NULL,
  disabled INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  UNIQUE (workspace, name)
) WITHOUT ROWID;

CREATE TABLE crm_accounts (
  object TEXT PRIMARY KEY,
  workspace TEXT NOT NULL,
  crm TEXT NOT NULL,
  crm_account TEXT NOT NULL,
  status TEXT NOT NULL,
  world TEXT NOT NULL,
  record_urls TEXT NOT NULL,
  connected_at INTEGER NOT NULL
) WITHOUT ROWID;

-- One row per OAuth flow under way: state, PKCE verifier (sealed), and when it ends.
CREATE TABLE oauth_states (
  state TEXT PRIMARY KEY,
  workspace TEXT NOT NULL,
  crm TEXT NOT NULL,
  verifier TEXT NOT NULL,
  expires_at INTEGER NOT NULL
) WITHOUT ROWID;
