-- release_claim: the claim of a delivery that was interrupted has ended; the alert is due again.
--
-- Parameters
--   alert_id   bigint
UPDATE wxyc_assets.alert SET retry_at = NULL WHERE alert_id = %(alert_id)s
