-- lock_watch: how far the last search came; one search at a time.
SELECT w.looked_until, w.trailing_start FROM wxyc_assets.unbilled_watch w FOR UPDATE
