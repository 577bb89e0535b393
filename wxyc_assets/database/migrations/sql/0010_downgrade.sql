-- 0010_downgrade: everything that 0010_upgrade made is gone.
DROP TABLE wxyc_assets.unpushed_hour;
DROP INDEX wxyc_assets.usage_change_changed_ix;
