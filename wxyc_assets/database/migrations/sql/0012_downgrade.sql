-- 0012_downgrade: everything that 0012_upgrade made is gone.
ALTER TYPE wxyc_assets.usage_state DROP ATTRIBUTE org_id;
DROP TABLE wxyc_assets.replaced_album, wxyc_assets.answer_batch;
