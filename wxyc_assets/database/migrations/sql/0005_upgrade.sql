-- 0005_upgrade: alerts have a kind, their partitions and the state of their delivery; partitions have a state.

ALTER TABLE wxyc_assets.alert
  ADD COLUMN kind text NOT NULL DEFAULT 'check' CHECK (kind IN ('check', 'unevaluated', 'run', 'late', 'stale')),
  ADD COLUMN partitions text[] NOT NULL DEFAULT '{}',
  ADD COLUMN part_of bigint REFERENCES wxyc_assets.alert (alert_id) ON DELETE CASCADE,
  ADD COLUMN attempts integer NOT NULL DEFAULT 0,
  ADD COLUMN retry_at timestamptz,
  ADD COLUMN delivery_problem text;
ALTER TABLE wxyc_assets.alert ALTER COLUMN kind DROP DEFAULT;
COMMENT ON COLUMN wxyc_assets.alert.kind IS
  'check: it failed; unevaluated: it could not be looked at; run: it failed; late: nobody did it in time; stale: what is stored is too old.';
COMMENT ON COLUMN wxyc_assets.alert.partitions IS
  'What still has to recover: partition keys, or one empty string for the asset as a whole. Empty: it has recovered.';
COMMENT ON COLUMN wxyc_assets.alert.part_of IS
  'The alert that has the same cause, and whose delivery tells of this one too.';
COMMENT ON COLUMN wxyc_assets.alert.attempts IS
  'Deliveries that failed since the last one that worked; the next is tried at retry_at.';
DROP INDEX wxyc_assets.alert_undelivered_ix;
CREATE INDEX alert_undelivered_ix ON wxyc_assets.alert (alert_id)
  WHERE part_of IS NULL AND (delivered_at IS NULL OR (closed_at IS NOT NULL AND closing_delivered_at IS NULL));
CREATE INDEX alert_closed_ix ON wxyc_assets.alert (closed_at) WHERE closed_at IS NOT NULL;
CREATE INDEX alert_part_ix ON wxyc_assets.alert (part_of) WHERE part_of IS NOT NULL;

CREATE TABLE wxyc_assets.partition_state (
  asset text NOT NULL,
  partition_key text NOT NULL,
  credited_at timestamptz,
  credited_run text,
  missed_at timestamptz,
  missed_run text,
  PRIMARY KEY (asset, partition_key)
);
COMMENT ON TABLE wxyc_assets.partition_state IS
  'When a run last credited a partition in Dagster, and when one last failed to; an empty key is an asset without partitions. Copied from Dagster''s events, so that nobody needs Dagster to see how the station stands.';

CREATE TABLE wxyc_assets.heard_run (
  run_id text PRIMARY KEY,
  ended_at timestamptz NOT NULL
);
COMMENT ON TABLE wxyc_assets.heard_run IS
  'Finished runs whose events the outbox has taken note of, each exactly once.';
CREATE INDEX heard_run_ended_ix ON wxyc_assets.heard_run (ended_at);

CREATE TABLE wxyc_assets.alert_watch (
  singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
  looked_at timestamptz,
  problem text
);
COMMENT ON TABLE wxyc_assets.alert_watch IS
  'One row: when the sensor alerts last looked, and what was in the way of telling Sentry. Nobody is told of anything while it does not look.';
INSERT INTO wxyc_assets.alert_watch DEFAULT VALUES;
