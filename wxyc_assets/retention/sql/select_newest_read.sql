-- select_newest_read: the greatest storage id of an end of a run that the alerts have read: while it is stored, Dagster's storage
-- counts as the same. 0: none.
SELECT COALESCE(max(h.event_id), 0) FROM wxyc_assets.heard_run h
