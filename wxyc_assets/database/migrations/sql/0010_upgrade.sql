-- 0010_upgrade: the hours whose changed bills have not reached the customers' invoices, and an index for the changes of a period.

CREATE TABLE wxyc_assets.unpushed_hour (
  window_start timestamptz PRIMARY KEY,
  run_id text NOT NULL,
  changed_at timestamptz NOT NULL DEFAULT now(),
  moved numeric NOT NULL,
  pushed_at timestamptz,
  pushed_by text
);
COMMENT ON TABLE wxyc_assets.unpushed_hour IS
  'Hours whose bills a run changed after token-push had posted them for the last time: it posts the last 24 closed hours only. A new change of a pushed hour makes it unpushed again.';
COMMENT ON COLUMN wxyc_assets.unpushed_hour.moved IS 'USD by which the last change moved the bill of the hour.';
COMMENT ON COLUMN wxyc_assets.unpushed_hour.pushed_at IS 'When an operator said that token-push was run for the hour; null: not yet.';

CREATE INDEX usage_change_changed_ix ON wxyc_assets.usage_change (changed_at);
