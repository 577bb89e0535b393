-- 0004_upgrade: the money ledger: every row of rated_usage that rating inserted, changed or deleted, before and after.

-- What a row of rated_usage says beside its natural key. Typed, not jsonb: a reader of jsonb may turn money into a float.
CREATE TYPE wxyc_assets.usage_state AS (
  window_end timestamptz,
  prompt_tokens bigint,
  cached_tokens bigint,
  completion_tokens bigint,
  billable_prompt_tokens bigint,
  cost numeric(20, 9),
  applied_prompt_rate numeric(20, 9),
  applied_cached_rate numeric(20, 9),
  applied_completion_rate numeric(20, 9),
  event_count bigint,
  rated_at timestamptz
);
COMMENT ON TYPE wxyc_assets.usage_state IS
  'The values of a row of rated_usage: tokens, cost in USD, and the rates in USD a token that it was billed at.';

CREATE TABLE wxyc_assets.usage_change (
  change_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  usage_id text NOT NULL,
  window_start timestamptz NOT NULL,
  auth_id text NOT NULL,
  resource_id text NOT NULL,
  model_id text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('insert', 'change', 'delete')),
  before wxyc_assets.usage_state CHECK ((before IS NULL) = (kind = 'insert')),
  after wxyc_assets.usage_state CHECK ((after IS NULL) = (kind = 'delete')),
  run_id text NOT NULL,
  origin text NOT NULL CHECK (origin IN ('routine', 'explicit')),
  price_digest text NOT NULL,
  changed_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE wxyc_assets.usage_change IS
  'One row for each row of rated_usage that a run inserted, changed or deleted, written in the same statement. price_digest: SHA-256 of the price file. Together with rated_usage it tells what was billed at any time.';
-- By hour first: an hour is written at once, so that its entries go to neighbouring pages.
CREATE INDEX usage_change_hour_ix ON wxyc_assets.usage_change (window_start, auth_id);
