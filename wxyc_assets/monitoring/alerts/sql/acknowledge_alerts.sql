-- acknowledge_alerts: what an operator did about open alerts on money is kept.
--
-- Parameters
--   alert_ids                     bigint[]
--   reason, acknowledged_by       text
INSERT INTO wxyc_assets.acknowledgement (
  alert_id, fingerprint, message, partitions, by_partition, run_id, reason, acknowledged_by)
SELECT a.alert_id, a.fingerprint, a.message, a.partitions, COALESCE(a.details -> 'by_partition', '{}'), a.run_id, %(reason)s,
  %(acknowledged_by)s
FROM wxyc_assets.alert a
WHERE a.closed_at IS NULL AND a.alert_id = ANY (%(alert_ids)s::bigint[])
RETURNING alert_id
