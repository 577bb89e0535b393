-- select_needed_runs: the runs of Dagster that an open alert names.
SELECT DISTINCT a.run_id FROM wxyc_assets.alert a WHERE a.closed_at IS NULL AND a.run_id IS NOT NULL
