-- select_latest_evaluations: the evaluations of checks that Dagster shows as the state of a check: the latest of each check, and the
-- latest that ended of each check and partition. Read once, because each of the two reads the whole table.
SELECT c.asset_key, c.check_name, c.id, c.run_id
FROM asset_check_executions c
JOIN (
  SELECT max(id) AS id FROM asset_check_executions GROUP BY asset_key, check_name
  UNION
  SELECT max(id) FROM asset_check_executions WHERE execution_status <> 'PLANNED' GROUP BY asset_key, check_name, partition
) latest ON latest.id = c.id
