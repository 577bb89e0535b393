-- 0009_downgrade: everything that 0009_upgrade made is gone.
DROP TABLE wxyc_assets.acknowledgement;
