-- 0003_downgrade: everything that 0003_upgrade made is gone.
DROP FUNCTION wxyc_assets.reserve_budget(text, float8, float8, float8);
ALTER TABLE wxyc_assets.run DROP COLUMN discogs_calls_left;
ALTER TABLE wxyc_assets.budget DROP COLUMN recent_cost, DROP COLUMN recent_at;
