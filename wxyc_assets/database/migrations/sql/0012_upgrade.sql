-- 0012_upgrade: the organisation of a billed row in the ledger of changes.

ALTER TYPE wxyc_assets.usage_state ADD ATTRIBUTE org_id text;
COMMENT ON COLUMN wxyc_assets.usage_state.org_id IS
  'The organisation that the row named; null: none, or the station''s rated_usage has no such column.';
