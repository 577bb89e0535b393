-- 0013_upgrade: the chain of seals of rated hours.

CREATE TABLE wxyc_assets.seal (
  seal_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  window_start timestamptz NOT NULL,
  kind text NOT NULL CHECK (kind IN ('seal', 'reopen')),
  made_by text NOT NULL,
  made_at timestamptz NOT NULL,
  reason text NOT NULL CHECK ((kind = 'reopen') = (reason <> '')),
  previous text NOT NULL UNIQUE,
  digest text NOT NULL UNIQUE CHECK (digest ~ '^[0-9a-f]{64}$'),
  row_count bigint CHECK ((kind = 'seal') = (row_count IS NOT NULL)),
  cost numeric,
  rows_digest text,
  event_count bigint,
  events_digest text,
  price_digest text,
  rated_by text,
  accepted_rows bigint,
  accepted_cost numeric
);
COMMENT ON TABLE wxyc_assets.seal IS
  'The chain of seals: an entry seals a rated hour or opens it again, and names the digest of the entry before it. Rows are only added. The last entry about an hour holds.';
COMMENT ON COLUMN wxyc_assets.seal.rows_digest IS 'SHA-256 of the hour''s rows of rated_usage; events_digest: of its events.';
COMMENT ON COLUMN wxyc_assets.seal.accepted_rows IS
  'Rows that rating again would have changed when the hour was sealed, because an operator had accepted that events stay unbilled; accepted_cost: by how many USD.';
COMMENT ON COLUMN wxyc_assets.seal.digest IS 'SHA-256 of all that the entry says, previous included.';
CREATE INDEX seal_hour_ix ON wxyc_assets.seal (window_start, seal_id);
