-- 0001_downgrade: everything that 0001_upgrade made is gone; the schema and Alembic's own table stay.
DROP VIEW wxyc_assets.library_artist_id;
DROP FUNCTION wxyc_assets.library_artist_ids();
DROP FUNCTION wxyc_assets.eligible_library(timestamptz, interval, interval, boolean, boolean);
DROP TABLE wxyc_assets.alert, wxyc_assets.budget, wxyc_assets.quarantine, wxyc_assets.tally, wxyc_assets.run;
