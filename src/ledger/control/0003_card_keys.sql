-- Generations of the keys by which cards in Salesforce prove themselves (src/card/card-key.ts). The keys themselves are derived.
CREATE TABLE card_keys (
  -- Name of the account object, as in `crm_accounts`.
  object TEXT PRIMARY KEY,
  generation INTEGER NOT NULL,
  rotated_at INTEGER NOT NULL
) WITHOUT ROWID;

-- A card names the CRM account that it is shown in, and nothing of ours.
CREATE INDEX crm_accounts_by_account ON crm_accounts (crm, crm_account);
