-- 0005_downgrade: everything that 0005_upgrade made is gone.
DROP TABLE wxyc_assets.alert_watch, wxyc_assets.heard_run, wxyc_assets.partition_state;
DROP INDEX wxyc_assets.alert_part_ix, wxyc_assets.alert_closed_ix, wxyc_assets.alert_undelivered_ix;
ALTER TABLE wxyc_assets.alert
  DROP COLUMN delivery_problem, DROP COLUMN retry_at, DROP COLUMN attempts, DROP COLUMN part_of, DROP COLUMN partitions,
  DROP COLUMN kind;
CREATE INDEX alert_undelivered_ix ON wxyc_assets.alert (alert_id)
  WHERE delivered_at IS NULL OR (closed_at IS NOT NULL AND closing_delivered_at IS NULL);
