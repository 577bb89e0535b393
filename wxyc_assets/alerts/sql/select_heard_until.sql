-- select_heard_until: when the latest of the runs ended that were heard; null: none was.
SELECT max(ended_at) FROM wxyc_assets.heard_run
