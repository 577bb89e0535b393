-- 0006_upgrade: alerts keep the order of Dagster's storage, have one identity for Sentry, and say when the next try is.

ALTER TABLE wxyc_assets.alert DROP CONSTRAINT alert_kind_check;
ALTER TABLE wxyc_assets.alert
  ADD CONSTRAINT alert_kind_check CHECK (kind IN ('check', 'unevaluated', 'run', 'late', 'stale', 'cause', 'unreadable')),
  ADD COLUMN news_id uuid NOT NULL DEFAULT gen_random_uuid(),
  ADD COLUMN last_event_id bigint NOT NULL DEFAULT 0,
  ADD COLUMN delivered_severity text;
UPDATE wxyc_assets.alert SET delivered_severity = severity WHERE delivered_at IS NOT NULL;
COMMENT ON COLUMN wxyc_assets.alert.kind IS
  'check: it failed; unevaluated: it could not be evaluated; run: it failed; late: no run did it in time; stale: what is stored is too old; cause: one cause of several alerts; unreadable: Dagster''s record of a run cannot be read.';
COMMENT ON COLUMN wxyc_assets.alert.part_of IS
  'The open alert that has the same cause, and whose event in Sentry names this one too. Null: sent on its own.';
COMMENT ON COLUMN wxyc_assets.alert.news_id IS
  'The alert''s identity for Sentry: the ids of its events are derived from it.';
COMMENT ON COLUMN wxyc_assets.alert.last_event_id IS
  'Storage id of Dagster''s event that raised the alert last. Only a run with a later event recovers it.';
COMMENT ON COLUMN wxyc_assets.alert.delivered_severity IS
  'The severity that Sentry was sent; an alert that became more severe since then is sent again.';
COMMENT ON COLUMN wxyc_assets.alert.attempts IS
  'Deliveries that failed since the last one that worked. No delivery starts before retry_at; one in progress holds the alert until then.';
DROP INDEX wxyc_assets.alert_undelivered_ix;
CREATE INDEX alert_undelivered_ix ON wxyc_assets.alert (alert_id)
  WHERE part_of IS NULL AND (
    delivered_at IS NULL OR delivered_severity <> severity OR (closed_at IS NOT NULL AND closing_delivered_at IS NULL));

ALTER TABLE wxyc_assets.partition_state
  ADD COLUMN credited_event_id bigint NOT NULL DEFAULT 0,
  ADD COLUMN missed_event_id bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN wxyc_assets.partition_state.credited_event_id IS
  'Storage id of Dagster''s event; it decides with missed_event_id what came last, because the clocks of two hosts can differ.';

ALTER TABLE wxyc_assets.heard_run
  ADD COLUMN event_id bigint NOT NULL DEFAULT 0,
  ADD COLUMN ingested_at timestamptz NOT NULL DEFAULT clock_timestamp();
COMMENT ON COLUMN wxyc_assets.heard_run.event_id IS 'Storage id of the event with which the run ended; 0: unknown.';
CREATE INDEX heard_run_event_ix ON wxyc_assets.heard_run (event_id);

ALTER TABLE wxyc_assets.alert_watch
  ADD COLUMN blocked_sentry text,
  ADD COLUMN blocked_until timestamptz,
  ADD COLUMN checked_in_at timestamptz;
COMMENT ON COLUMN wxyc_assets.alert_watch.blocked_until IS
  'blocked_sentry receives nothing before this instant, because it asked for it.';
COMMENT ON COLUMN wxyc_assets.alert_watch.checked_in_at IS
  'The last check-in of the sensor at Sentry''s cron monitor.';

CREATE TABLE wxyc_assets.open_run (
  run_id text PRIMARY KEY,
  first_seen_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE wxyc_assets.open_run IS
  'Runs that Dagster has as open, and when they were first seen so by the clock of this database: a run that never took its lock is dead some time after that, whatever the clock of its host says.';
