-- 0002_downgrade: everything that 0002_upgrade made is gone.
DROP FUNCTION wxyc_assets.album_question(integer[], timestamptz, interval);
DROP FUNCTION wxyc_assets.pending_play();
DROP INDEX wxyc_assets.quarantine_recent_ix;
DROP TABLE wxyc_assets.album_no_match;
