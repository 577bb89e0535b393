-- 0013_downgrade: what 0013_upgrade made.
DROP TABLE wxyc_assets.seal;
