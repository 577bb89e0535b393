-- 0004_downgrade: everything that 0004_upgrade made is gone.
DROP TABLE wxyc_assets.usage_change;
DROP TYPE wxyc_assets.usage_state;
