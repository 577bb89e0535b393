-- 0008_downgrade: everything that 0008_upgrade made is gone.
ALTER TABLE wxyc_assets.usage_change DROP COLUMN cause;
DROP TABLE wxyc_assets.unbilled_watch, wxyc_assets.accepted_usage, wxyc_assets.unbilled_usage, wxyc_assets.rated_hour,
  wxyc_assets.price_book;
