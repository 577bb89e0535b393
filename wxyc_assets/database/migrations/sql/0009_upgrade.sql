-- 0009_upgrade: who acknowledged an alert about money, and why.

CREATE TABLE wxyc_assets.acknowledgement (
  acknowledgement_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  alert_id bigint NOT NULL,
  fingerprint text NOT NULL,
  message text NOT NULL,
  partitions text[] NOT NULL,
  by_partition jsonb NOT NULL,
  run_id text,
  reason text NOT NULL CHECK (reason <> ''),
  acknowledged_by text NOT NULL,
  acknowledged_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE wxyc_assets.acknowledgement IS
  'Alerts about money that an operator acknowledged, as they were then. No run closes such an alert, and nothing deletes a row of this table.';
COMMENT ON COLUMN wxyc_assets.acknowledgement.by_partition IS
  'How many events or rows failed the check in each hour. The hour is reported again when there are more.';
CREATE INDEX acknowledgement_fingerprint_ix ON wxyc_assets.acknowledgement (fingerprint);
