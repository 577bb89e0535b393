-- 0006_downgrade: everything that 0006_upgrade made is gone.
DROP TABLE wxyc_assets.open_run;
DELETE FROM wxyc_assets.alert WHERE kind IN ('cause', 'unreadable');
DROP INDEX wxyc_assets.alert_undelivered_ix, wxyc_assets.heard_run_event_ix;
ALTER TABLE wxyc_assets.alert DROP CONSTRAINT alert_kind_check;
ALTER TABLE wxyc_assets.alert
  ADD CONSTRAINT alert_kind_check CHECK (kind IN ('check', 'unevaluated', 'run', 'late', 'stale')),
  DROP COLUMN news_id, DROP COLUMN last_event_id, DROP COLUMN delivered_severity;
CREATE INDEX alert_undelivered_ix ON wxyc_assets.alert (alert_id)
  WHERE part_of IS NULL AND (delivered_at IS NULL OR (closed_at IS NOT NULL AND closing_delivered_at IS NULL));
ALTER TABLE wxyc_assets.partition_state DROP COLUMN credited_event_id, DROP COLUMN missed_event_id;
ALTER TABLE wxyc_assets.heard_run DROP COLUMN event_id, DROP COLUMN ingested_at;
ALTER TABLE wxyc_assets.alert_watch DROP COLUMN blocked_sentry, DROP COLUMN blocked_until, DROP COLUMN checked_in_at;
